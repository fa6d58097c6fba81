"""What scans saw: sources, pages, sightings, captures, matches, rulings — and the flags that people decide."""
