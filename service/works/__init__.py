"""The registry: works 作品 with versions, publications and fingerprints."""
