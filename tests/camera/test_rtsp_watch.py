"""What is seen while an RTSP server answers: the size of the picture, told by parameter sets of real encoders."""

from __future__ import annotations

import numpy as np
import pytest

from edgecam.camera.parameter_sets import h264_size, h265_size
from edgecam.camera.rtsp_watch import RtspWatch

# From x264 and x265.
H264 = {
    (640, 368): "6764001eacd940a02ff97016a0c0c0d4a0000003002000000791e2c5b2c0",
    (1920, 1088): "67640028acd940780227e5c05a808080a0000003002000000791e30632c0",
    (320, 240): "67640014acd94141fb016a0c0c0d4a000003000200000300791e28532c",  # with scaling matrices
    (176, 144): "67f4000d919b28589d80b506060640000003004000000f23c50a6580",  # 4:4:4
    (720, 576): "6764001facd940b4126c05a830303528000003000800000301e478c18cb0",  # interlaced
    (352, 288): "674d4015eca0b04b602d418181a940000003004000000f23c58b6580",  # main profile
}
H265 = {
    (640, 360): "42010101600000030090000003000003003fa00502016965959a4932bffc00040005a830303020000003002000000303c1",
    (1920, 1080): "420101016000000300900000030000030078a003c08010e596566924cafff000100016a020202080000003008000000f04",
}


@pytest.mark.parametrize("size", H264)
def test_the_size_in_h264(size: tuple[int, int]) -> None:
    assert h264_size(bytes.fromhex(H264[size])) == (0, *size)


@pytest.mark.parametrize("size", H265)
def test_the_size_in_h265(size: tuple[int, int]) -> None:
    assert h265_size(bytes.fromhex(H265[size])) == (0, *size)


def test_cut_off_and_random_parameter_sets_have_no_size_or_some() -> None:
    whole = bytes.fromhex(H264[640, 368])
    assert h264_size(whole[:5]) is None
    random = np.random.default_rng(1)
    for _ in range(2000):
        noise = random.bytes(int(random.integers(0, 40)))
        for size in (h264_size(noise), h265_size(noise)):
            assert size is None or min(size) >= 0


def answer(codec: str) -> bytes:
    sdp = f"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 {codec}/90000\r\n".encode()
    return b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: %d\r\n\r\n%s" % (len(sdp), sdp)


def rtp(payload: bytes, kind: int = 96, first: int = 0x80, extra: bytes = b"") -> bytes:
    packet = bytes([first, kind]) + bytes(10) + extra + payload
    return b"$\0" + len(packet).to_bytes(2, "big") + packet


def unit(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal)


def aggregate(head: bytes, *units: bytes) -> bytes:
    return head + b"".join(len(unit).to_bytes(2, "big") + unit for unit in units)


SMALL, LARGE = unit(H264[320, 240]), unit(H264[640, 368])
SMALL_265, LARGE_265 = unit(H265[640, 360]), unit(H265[1920, 1080])
SLICE = b"\x65" + bytes(30)


@pytest.mark.parametrize(
    ("codec", "first", "second"),
    [
        ("H264", rtp(SMALL), rtp(LARGE)),
        ("H264", rtp(aggregate(b"\x18", SMALL, SLICE)), rtp(aggregate(b"\x18", SLICE, LARGE))),
        ("H264", rtp(SMALL), rtp(LARGE, first=0x91, extra=bytes(4) + b"\xbe\xde\0\1" + bytes(4))),
        ("H265", rtp(SMALL_265), rtp(LARGE_265)),
        ("H265", rtp(aggregate(b"\x60\1", SMALL_265)), rtp(aggregate(b"\x60\1", LARGE_265))),
        ("JPEG", rtp(bytes(6) + b"\x28\x1e" + bytes(20), 26), rtp(bytes(6) + b"\x50\x3c" + bytes(20), 26)),
    ],
    ids=["h264", "h264 together", "h264 behind extensions", "h265", "h265 together", "jpeg"],
)
@pytest.mark.parametrize("chunk", [1, 7, 100_000])
def test_another_size_is_seen_and_the_same_is_not(codec: str, first: bytes, second: bytes, chunk: int) -> None:
    watch = RtspWatch()

    def pass_on(data: bytes) -> None:
        passed_on = [watch.pass_on(data[at : at + chunk], "10.0.0.2") for at in range(0, len(data), chunk)]
        assert b"".join(passed_on) == data

    pass_on(answer(codec) + first + rtp(SLICE) + first)
    pass_on(b"$\1\0\4\x81\xc8cd" + rtp(SLICE) + first)
    assert not watch.resized
    pass_on(b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n" + second)
    assert watch.resized


def test_two_sets_of_different_sizes_are_no_change() -> None:
    other = unit("6764001e4b3650280bfe5c05a83030352800000008000001e478b16cb000")  # LARGE, with the number 1
    assert h264_size(other) == (1, 640, 368)
    watch = RtspWatch()
    watch.pass_on(answer("H264") + 3 * (rtp(SMALL) + rtp(other)), "10.0.0.2")
    assert not watch.resized


def test_noise_among_the_pictures_is_held_back_and_nothing_else() -> None:
    """Each half a megabyte of noise holds about 2,000 times what begins a packet, which would swallow what follows."""
    watch = RtspWatch()
    packets = [rtp(SLICE + bytes(range(256)) * 4, first=0x80 + at) for at in range(4)]
    watch.pass_on(answer("H264") + rtp(SMALL) + b"".join(packets), "10.0.0.2")
    random = np.random.default_rng(2)
    for packet in 5 * packets:
        chunks = [random.bytes(20_000) for _ in range(25)]
        passed_on = b"".join(watch.pass_on(chunk, "10.0.0.2") for chunk in chunks)
        assert passed_on == b""
        assert watch.pass_on(packet, "10.0.0.2") == packet
    assert not watch.resized
    assert watch.pass_on(b"noise" + rtp(LARGE), "10.0.0.2") == rtp(LARGE)
    assert watch.resized


def test_a_packet_is_passed_on_before_its_end_came_and_noise_that_it_became_with_it() -> None:
    watch = RtspWatch()
    packet = rtp(SLICE)
    watch.pass_on(answer("H264") + packet, "10.0.0.2")
    assert watch.pass_on(packet[:20], "10.0.0.2") == packet[:20]
    assert watch.pass_on(bytes(len(packet)), "10.0.0.2") == bytes(len(packet) - 20)
    assert watch.pass_on(packet[:5], "10.0.0.2") == b""  # too little to tell
    assert watch.pass_on(packet[5:], "10.0.0.2") == packet


def test_an_answer_that_never_ends_ends_the_connection() -> None:
    watch = RtspWatch()
    lines = b"CSeq: 3\r\n" * 100_000
    watch.pass_on(b"RTSP/1.0 200 OK\r\n" + lines, "10.0.0.2")
    with pytest.raises(ConnectionAbortedError):
        watch.pass_on(lines, "10.0.0.2")


@pytest.mark.parametrize("first", [b"", answer("H264"), b"OPTIONS rtsp://x RTSP/1.0\r\nCSeq: 1\r\n\r\n"])
@pytest.mark.parametrize("noise", [b"\0", b"R\0", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"OPTION!"])
def test_noise_instead_of_an_answer_ends_the_connection(first: bytes, noise: bytes) -> None:
    watch = RtspWatch()
    if first:
        watch.pass_on(first, "10.0.0.2")
    with pytest.raises(ConnectionAbortedError):
        watch.pass_on(noise, "10.0.0.2")


@pytest.mark.parametrize(
    ("transport", "passed_on"),
    [
        (
            b"Transport: RTP/AVP;unicast;client_port=1-2;server_port=3-4",
            b"Transport: RTP/AVP;unicast;client_port=1-2;server_port=3-4;source=10.0.0.2",
        ),
        (
            b"transport: RTP/AVP/UDP;unicast;source=10.0.0.9;client_port=1-2",
            b"transport: RTP/AVP/UDP;unicast;source=10.0.0.9;client_port=1-2",
        ),
        (b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1", b"Transport: RTP/AVP/TCP;unicast;interleaved=0-1"),
    ],
)
def test_ffmpeg_is_told_where_udp_comes_from(transport: bytes, passed_on: bytes) -> None:
    """FFmpeg takes the relay for the server, and would send its receiver reports to this machine."""
    head, tail = b"RTSP/1.0 200 OK\r\nCSeq: 4\r\n", b"\r\nSession: 12\r\n\r\n"
    assert RtspWatch().pass_on(head + transport + tail, "10.0.0.2") == head + passed_on + tail
