"""Every module with tables in one import, so that the metadata is whole."""

from service import audit, jobs
from service.accounts import models as accounts
from service.licences import models as licences
from service.outlets import models as outlets
from service.parties import models as parties
from service.sightings import flags, held
from service.sightings import models as sightings
from service.works import index_hosts
from service.works import models as works

__all__ = [
    "accounts",
    "audit",
    "flags",
    "held",
    "index_hosts",
    "jobs",
    "licences",
    "outlets",
    "parties",
    "sightings",
    "works",
]
