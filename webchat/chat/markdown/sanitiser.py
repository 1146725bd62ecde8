"""What may the HTML of a text contain? Whatever a renderer made, nothing else gets past here.

No style, script, image or `hx-…`, no form but a disabled checkbox; addresses only to the web and to mail.
"""

import nh3
from pygments.token import STANDARD_TYPES

_HTML = (
    "a blockquote br code del div em h1 h2 h3 h4 h5 h6 hr input label li ol p pre s section span strong sup "
    "table tbody td th thead tr ul"
)
# Without annotation-xml, maction, mglyph, semantics and href: the ways in which MathML became script.
_MATHML = (
    "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mroot mrow mspace msqrt mstyle "
    "msub msubsup msup mtable mtd mtext mtr munder munderover"
)
_MATHML_ATTRIBUTES = (
    "accent columnalign columnlines columnspacing depth displaystyle fence form height largeop linethickness "
    "lspace mathcolor mathsize mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace "
    "scriptlevel separator stretchy symmetric voffset width"
)
_ALIGNED = {"align-left", "align-center", "align-right"}


def clean(html: str) -> str:
    return _cleaner.clean(html)


def _only_notes(address: str) -> str | None:
    # A relative address would lead into the portal itself.
    return address if address.startswith("#fn") else None


_cleaner = nh3.Cleaner(
    tags={*_HTML.split(), *_MATHML.split()},
    attributes={
        "a": {"href", "title", "id"},
        "code": set(),
        "div": {"data-language"},
        "input": {"disabled", "checked"},
        "li": {"id"},
        "math": {"alttext"},
        "ol": {"start"},
        **{tag: set(_MATHML_ATTRIBUTES.split()) for tag in _MATHML.split() if tag != "math"},
    },
    tag_attribute_values={
        "a": {"target": {"_blank"}},
        "div": {"role": {"region"}, "tabindex": {"0"}},
        "math": {"display": {"block", "inline"}},
    },
    set_tag_attribute_values={"input": {"type": "checkbox"}},
    allowed_classes={
        "a": {"footnote-backref"},
        "code": {"highlight", "formula-source"},
        "div": {"code", "math-block", "table-scroll"},
        "hr": {"footnotes-sep"},
        "li": {"task", "footnote-item"},
        "ol": {"footnotes-list"},
        "pre": {"plain"},
        "section": {"footnotes"},
        "span": {name for name in STANDARD_TYPES.values() if name},
        "sup": {"footnote-ref"},
        "td": _ALIGNED,
        "th": _ALIGNED,
    },
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto"},
    url_relative=_only_notes,
)
