"""What may you spend, what did you spend? Upstream tokens, who may use them, and where every one of them went."""

from webchat.allocation.models.allocation import Allocation, ChangedMeanwhile, ChosenToken
from webchat.allocation.models.api_token import APIToken, fingerprint, validate_base_url
from webchat.allocation.models.budget import Left
from webchat.allocation.models.ledger import LedgerEntry
from webchat.allocation.models.model_info import ModelInfo
from webchat.allocation.models.pending_grant import PendingGrant, terms_from_json
from webchat.allocation.models.request import AllocationRequest
from webchat.allocation.models.request_step import RequestStep
from webchat.allocation.models.usage import Need, UsageRecord
from webchat.allocation.models.usage_day import UsageDay

__all__ = [
    "APIToken",
    "Allocation",
    "AllocationRequest",
    "ChangedMeanwhile",
    "ChosenToken",
    "LedgerEntry",
    "Left",
    "ModelInfo",
    "Need",
    "PendingGrant",
    "RequestStep",
    "UsageDay",
    "UsageRecord",
    "fingerprint",
    "terms_from_json",
    "validate_base_url",
]
