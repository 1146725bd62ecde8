"""What of a text that stopped in mid-line can be shown, so that nothing flickers when the rest comes?"""

import re

# A half line that may become anything: a list, a heading, a rule, a fence, a table, a link's definition.
_UNDECIDED = re.compile(
    r"[ \t>]*+(?:[-=*+_#|~`:$][-=*+_#>|~`:$ \t]*|\d{1,9}[.)]?[ \t]*|(?:`{3}|~{3}).*|\[[^\]]*(?:\](?::.*)?)?)?"
)
# Markers that mean something together with what follows.
_MARKERS = "*_`~$\\"
_HALF_LINK = re.compile(r"!?\[[^\[\]]{0,80}(?:\](?:\([^()\s]{0,500})?)?$")


def tidy(source: str) -> str:
    """Without an undecided half line, and with what was begun in it closed."""
    begin = source.rfind("\n") + 1
    half = source[begin:].rstrip(_MARKERS)
    shown = "" if _UNDECIDED.fullmatch(half) else _close(half)
    return _without_table_header(source[:begin] + shown, source[begin:])


def tidy_code(source: str) -> str:
    """Within an open fence: all but what may become its end."""
    begin = source.rfind("\n") + 1
    return source[:begin] if not source[begin:].strip(" \t`~") else source


def _close(half: str) -> str:
    if half.count("`") % 2:
        return half + "`"
    half = _HALF_LINK.sub("", half)
    if half.count("**") % 2:
        before, _marker, after = half.rpartition("**")
        return f"{half.rstrip()}**" if after.strip() else before
    return half


def _without_table_header(shown: str, half: str) -> str:
    """The first line of a table is only a paragraph until the second one is complete."""
    if half.strip() and not half.lstrip().startswith("|"):
        return shown
    lines = shown.rsplit("\n", 3)
    complete = lines[-3:-1]
    if complete and complete[-1].lstrip().startswith("|"):
        if len(complete) > 1 and complete[0].lstrip().startswith("|"):
            return shown
        return shown[: len(shown) - len(lines[-1]) - len(complete[-1]) - 1]
    return shown[: len(shown) - len(lines[-1])] if half.strip() else shown
