"""What may you spend, what did you spend? Upstream tokens, who may use them, and one record for each call."""

from webchat.allocation.models.allocation import Allocation
from webchat.allocation.models.api_token import APIToken, fingerprint, validate_base_url
from webchat.allocation.models.model_info import ModelInfo
from webchat.allocation.models.usage import UsageRecord

__all__ = ["APIToken", "Allocation", "ModelInfo", "UsageRecord", "fingerprint", "validate_base_url"]
