"""Pages across features: home, desk, jobs, audit, statement; and what every page shares: frame, errors, headers."""
