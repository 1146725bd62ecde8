"""How does a sound become a file, and how long is a file that came? PyAV; plain WAV where that is missing."""

import importlib.util
import io
import wave
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from webchat.demo.media.voice import Sound


class NotAudioError(Exception):
    pass


@dataclass(frozen=True)
class Format:
    content_type: str
    container: str
    codec: str
    rate: int


FORMATS = {
    "mp3": Format("audio/mpeg", "mp3", "libmp3lame", 24_000),
    "opus": Format("audio/ogg", "ogg", "libopus", 48_000),
    "aac": Format("audio/aac", "adts", "aac", 24_000),
    "flac": Format("audio/flac", "flac", "flac", 24_000),
}


def encode(sound: Sound, name: str, speed: float) -> tuple[bytes, str]:
    """The file and its content type. Blocking; call it in a thread."""
    if importlib.util.find_spec("av") is None:
        return wav(sound), "audio/wav"
    chosen = FORMATS[name]
    return _encode(sound, chosen, speed), chosen.content_type


def wav(sound: Sound) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sound.rate)
        writer.writeframes(sound.samples)
    return file.getvalue()


def seconds(data: bytes) -> float:
    """How long a recording plays. Blocking; call it in a thread."""
    if importlib.util.find_spec("av") is None:
        return _wav_seconds(data)
    import av

    try:
        with av.open(io.BytesIO(data), "r") as container:
            length = sum(Fraction(frame.samples, frame.sample_rate) for frame in container.decode(audio=0))
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise NotAudioError from error
    if not length:
        raise NotAudioError
    return float(length)


def _encode(sound: Sound, chosen: Format, speed: float) -> bytes:
    import av

    file = io.BytesIO()
    with av.open(file, "w", format=chosen.container) as container:
        stream: Any = container.add_stream(chosen.codec, rate=chosen.rate, layout="mono")
        stream.codec_context.open()
        graph = _graph(sound.rate, chosen.rate, stream.codec_context.format.name, speed)
        if stream.codec_context.frame_size:
            graph.set_audio_frame_size(stream.codec_context.frame_size)
        graph.push(_frame(sound))
        graph.push(None)
        for frame in _pulled(graph):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def _graph(rate: int, new_rate: int, sample_format: str, speed: float) -> Any:
    from av.filter import Graph

    graph = Graph()
    steps = [graph.add_abuffer(sample_rate=rate, format="s16", layout="mono", time_base=Fraction(1, rate))]
    while speed < 0.5:  # one tempo filter goes no lower
        steps.append(graph.add("atempo", "0.5"))
        speed /= 0.5
    if speed != 1:
        steps.append(graph.add("atempo", str(speed)))
    shape = f"sample_rates={new_rate}:channel_layouts=mono:sample_fmts={sample_format}"
    steps += [graph.add("aformat", shape), graph.add("abuffersink")]
    graph.link_nodes(*steps).configure()
    return graph


def _frame(sound: Sound) -> Any:
    import av

    frame = av.AudioFrame(format="s16", layout="mono", samples=len(sound.samples) // 2)
    frame.sample_rate = sound.rate
    frame.time_base = Fraction(1, sound.rate)
    frame.pts = 0
    plane = frame.planes[0]
    plane.update(sound.samples.ljust(plane.buffer_size, b"\0"))
    return frame


def _pulled(graph: Any) -> Any:
    import av

    while True:
        try:
            yield graph.pull()
        except (av.error.EOFError, av.error.BlockingIOError):
            return


def _wav_seconds(data: bytes) -> float:
    try:
        with wave.open(io.BytesIO(data)) as reader:
            return float(reader.getnframes() / reader.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError) as error:
        raise NotAudioError from error
