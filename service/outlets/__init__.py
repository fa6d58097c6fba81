"""Member outlets, the mandates they gave the Centre, and the dated public reservations."""
