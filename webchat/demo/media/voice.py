"""What does a text sound like? Spoken by espeak-ng; a humble tone where that is not installed."""

import array
import ctypes
import importlib.util
import math
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from webchat.demo.script.language import language_of

VOICES = {
    "alloy": ("f2", 50),
    "echo": ("m3", 45),
    "fable": ("m1", 60),
    "onyx": ("m7", 25),
    "nova": ("f4", 60),
    "shimmer": ("f5", 70),
}

_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_PITCH = 3
_CHARACTERS = 0
_UTF8 = 1
_TONE_RATE = 22_050
_TONE_SECONDS_PER_CHARACTER = 0.06
_LONGEST_TONE = 20.0

# The library keeps one voice and one callback for the whole process.
_lock = threading.Lock()


@dataclass(frozen=True)
class Sound:
    rate: int
    samples: bytes  # signed 16-bit, mono

    @property
    def seconds(self) -> float:
        return len(self.samples) / 2 / self.rate


def speak(text: str, voice: str) -> Sound:
    """Blocking; call it in a thread."""
    if importlib.util.find_spec("espeakng_loader") is None:
        return _tone(text)
    with _lock:
        return _espeak().speak(text, *VOICES[voice])


def what_is_missing() -> str | None:
    """One sentence for whoever starts the demo without the packages for real speech."""
    wanted = {"espeakng_loader": "espeakng-loader", "av": "av", "PIL": "pillow"}
    absent = [package for module, package in wanted.items() if importlib.util.find_spec(module) is None]
    if not absent:
        return None
    return f"Not installed: {', '.join(absent)}. Speech is a tone or plain WAV, pictures are one colour."


@cache
def _espeak() -> "_Espeak":
    return _Espeak()


class _Espeak:
    def __init__(self) -> None:
        import espeakng_loader

        self._library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self._rate = int(self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, _DONT_EXIT))
        if self._rate <= 0:
            raise RuntimeError("espeak-ng does not start")
        self._heard = bytearray()
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._hear)  # kept: the library holds only a pointer to it
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, variant: str, pitch: int) -> Sound:
        self._heard.clear()
        language = "cmn" if language_of(text) == "zh" else "en-us"
        self._library.espeak_SetVoiceByName(f"{language}+{variant}".encode())
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        data = text.replace("\0", " ").encode("utf-8", "replace")
        self._library.espeak_Synth(data, len(data) + 1, 0, _CHARACTERS, 0, _UTF8, None, None)
        # An encoder needs something to encode, and a text of punctuation only is silent.
        return Sound(self._rate, bytes(self._heard) or bytes(self._rate))

    def _hear(self, samples: int | None, count: int, _events: int | None) -> int:
        if samples and count:
            self._heard += ctypes.string_at(samples, count * 2)
        return 0


def _tone(text: str) -> Sound:
    seconds = min(max(len(text) * _TONE_SECONDS_PER_CHARACTER, 0.3), _LONGEST_TONE)
    step = 2 * math.pi * 440 / _TONE_RATE
    waves = (int(8000 * math.sin(step * at)) for at in range(int(seconds * _TONE_RATE)))
    return Sound(_TONE_RATE, array.array("h", waves).tobytes())
