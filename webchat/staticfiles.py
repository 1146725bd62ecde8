"""How are static files named? After their content, our own ES modules included."""

from functools import cache
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):
    support_js_module_import_aggregation = True
    # Only ours: libraries speak of imports in comments, which would be taken for missing files.
    _js_module_import_aggregation_patterns = (
        "js/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )

    def url(self, name: str, force: bool = False) -> str:
        """A page has the same few again and again: its icons."""
        return _url(super().url, name, force)


@cache
def _url(find: Any, name: str, force: bool) -> str:
    return str(find(name, force))
