"""Which words do the practice faults say? Known ones, so that a test can tell what is missing."""

from webchat.demo.chat import counting

TEXT = (
    "The harbour opens at six. By then the night boats are in, the crates stand on the quay, and the "
    "gulls know it. Whoever wants the best of the catch comes before seven, brings a bag of their own, "
    "and does not argue about the price of mackerel. Later in the morning there is coffee in the shed "
    "behind the ice house, and the day's stories with it: which engine failed, who lost a net, what the "
    "weather will do. Nobody is in a hurry."
)
PIECES = tuple(counting.tokens(TEXT))
PARTIAL_CHUNKS = 20
PARTIAL_TEXT = "".join(PIECES[:PARTIAL_CHUNKS])

MANY_SCRIPTS = "Größe: naïve café, 你好，世界！ Привет, мир. 👩‍💻 日本語 한국어 ∑ €."
ODD_SEPARATORS = "one\u2028two\u2029three\u0085four\x0cfive\x0bsix\x1cseven\x1deight\x1enine"
ILL_ENCODED = (b"caf\xe9 ", "café 你好".encode(), b" \xff\xfe end")
ILL_ENCODED_TEXT = b"".join(ILL_ENCODED).decode("utf-8", "replace")

FAST_CHUNKS = 10_000
FAST_TEXT = "".join(f"{at:04} " if at % 20 else f"{at:04}\n" for at in range(FAST_CHUNKS))
