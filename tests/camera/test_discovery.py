"""The list of cameras on machines that are not here: trees like those of /sys and /dev, with what the drivers said."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from edgecam import cli
from edgecam.camera import v4l2_abi as abi
from edgecam.camera import v4l2_faults
from edgecam.camera.hotplug import device_snapshot
from edgecam.camera.info import CameraInfo, CameraKind
from edgecam.camera.v4l2_device import Identity
from edgecam.camera.v4l2_nodes import v4l2_nodes
from edgecam.settings import Settings, SettingsStore, default_path
from tests.camera import fake_rpicam
from tests.camera.conftest import write_video

if TYPE_CHECKING:
    from pathlib import Path

    from edgecam.camera.v4l2_nodes import V4l2Node

CAPTURE = abi.CAP_VIDEO_CAPTURE | abi.CAP_STREAMING
METADATA = 0x0080_0000 | abi.CAP_STREAMING
CODEC = abi.CAP_VIDEO_M2M_MPLANE | abi.CAP_STREAMING


@dataclass
class Machine:
    """A machine's device trees, built node by node."""

    root: Path
    answers: dict[str, Identity | OSError] = field(default_factory=dict)

    @property
    def sysfs(self) -> Path:
        return self.root / "sys"

    @property
    def dev(self) -> Path:
        return self.root / "dev"

    def usb(self, port: str, product: str, vendor_id: str, product_id: str, serial: str = "") -> Path:
        device = self.root / "devices" / "pci0000:00" / "usb1" / port
        interface = device / f"{port}:1.0"
        interface.mkdir(parents=True)
        facts = {"product": product, "idVendor": vendor_id, "idProduct": product_id, "serial": serial}
        for name, value in facts.items():
            if value:
                (device / name).write_text(value + "\n")
        return interface

    def platform(self, name: str, driver: str) -> Path:
        device = self.root / "devices" / "platform" / name
        device.mkdir(parents=True)
        (self.root / "drivers" / driver).mkdir(parents=True, exist_ok=True)
        (device / "driver").symlink_to(self.root / "drivers" / driver)
        return device

    def node(
        self, number: int, device: Path, card: str, caps: int | OSError, *, index: int = 0, bus: str = "",
        by_id: str = "", by_path: str = "",
    ) -> None:  # fmt: skip
        entry = self.sysfs / f"video{number}"
        entry.mkdir(parents=True)
        (entry / "name").write_text(card + "\n")
        (entry / "index").write_text(f"{index}\n")
        (entry / "device").symlink_to(device)
        self.dev.mkdir(exist_ok=True)
        path = self.dev / f"video{number}"
        path.touch()
        self.answers[str(path)] = caps if isinstance(caps, OSError) else Identity("driver", card, bus, caps)
        for folder, name in (("by-id", by_id), ("by-path", by_path)):
            if name:
                link = self.dev / "v4l" / folder / name
                link.parent.mkdir(parents=True, exist_ok=True)
                link.unlink(missing_ok=True)
                link.symlink_to(f"../../video{number}")

    def cameras(self) -> list[V4l2Node]:
        def identify(path: str) -> Identity:
            answer = self.answers[path]
            if isinstance(answer, OSError):
                raise answer
            return answer

        return v4l2_nodes(self.sysfs, self.dev, identify)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_laptop(machine: Machine) -> None:
    """A built-in camera with a metadata node and an infrared twin, and a webcam."""
    built_in = machine.usb("1-8", "Integrated Camera", "04f2", "b6d0", "200901010001")
    machine.node(0, built_in, "Integrated Camera: Integrated C", CAPTURE, bus="usb-0000:00:14.0-8",
                 by_id="usb-Chicony_Integrated_Camera_200901010001-video-index0",
                 by_path="pci-0000:00:14.0-usb-0:8:1.0-video-index0")  # fmt: skip
    machine.node(1, built_in, "Integrated Camera: Integrated C", METADATA, index=1,
                 by_id="usb-Chicony_Integrated_Camera_200901010001-video-index1")  # fmt: skip
    webcam = machine.usb("1-2.3", "HD Pro Webcam C920", "046d", "082d", "A1B2")
    machine.node(10, webcam, "HD Pro Webcam C920", CAPTURE, bus="usb-0000:00:14.0-2.3",
                 by_id="usb-046d_HD_Pro_Webcam_C920_A1B2-video-index0",
                 by_path="pci-0000:00:14.0-usb-0:2.3:1.0-video-index0")  # fmt: skip
    first, second = machine.cameras()
    assert (first.name, first.bus, first.kind) == ("Integrated Camera", "USB 1-8", CameraKind.USB)
    assert first.stable_id == "usb-Chicony_Integrated_Camera_200901010001-video-index0"
    assert first.path == str(machine.dev / "video0")
    assert (second.name, second.path) == ("HD Pro Webcam C920", str(machine.dev / "video10"))
    assert second.address == "v4l2:usb-046d_HD_Pro_Webcam_C920_A1B2-video-index0"


CODECS = ("decode", "encode", "isp", "image_fx", "encode_image")
ISP = ("output0", "capture0", "capture1", "stats0")
BACK_END = ("input", "tdn_input", "stitch_input", "output0", "output1", "tdn_output", "stitch_output", "config")
FRONT_END = ("csi2_ch0", "embedded", "csi2_ch2", "csi2_ch3", "fe_image0", "fe_image1", "fe_stats", "fe_config")
PI_4 = (
    *((f"bcm2835-codec-{name}", "bcm2835-codec", CODEC) for name in CODECS),
    *((f"bcm2835-isp-{name}", "bcm2835-isp", METADATA if "stats" in name else CAPTURE) for name in 2 * ISP),
    ("unicam-image", "unicam", CAPTURE), ("unicam-embedded", "unicam", METADATA), ("rpivid", "rpivid", CODEC),
)  # fmt: skip
PI_5 = (
    *((f"rp1-cfe-{name}", "rp1-cfe", CAPTURE | abi.CAP_IO_MC) for name in 2 * FRONT_END),
    *((f"pispbe-{name}", "pispbe", CAPTURE) for name in 2 * BACK_END),
    ("rpi-hevc-dec", "rpi-hevc-dec", CODEC),
    ("some-new-isp", "new-isp", CAPTURE | abi.CAP_IO_MC),  # wired by the media controller: no camera by itself
)  # fmt: skip


def raspberry_pi(machine: Machine, nodes: tuple[tuple[str, str, int], ...]) -> None:
    """A Pi with a webcam among its own nodes."""
    for number, (name, driver, caps) in enumerate(nodes):
        machine.node(10 + number, machine.platform(f"device{number}", driver), name, caps)
    webcam = machine.usb("1-1.4", "Webcam", "0c45", "6366")
    machine.node(0, webcam, "Webcam: Webcam", CAPTURE, by_id="usb-Sonix_Webcam-video-index0")


@pytest.mark.parametrize("nodes", [PI_4, PI_5], ids=["Pi 4", "Pi 5"])
def test_a_raspberry_pi_hides_its_dozens_of_nodes(
    nodes: tuple[tuple[str, str, int], ...], machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    raspberry_pi(machine, nodes)
    assert [node.name for node in machine.cameras()] == ["Webcam"]
    # The camera on the Pi's own connector comes from libcamera.
    fake = fake_rpicam.install(tmp_path)
    monkeypatch.setattr("edgecam.camera.picamera.find_program", lambda: str(fake.program))
    monkeypatch.setattr("edgecam.camera.picamera.has_media_devices", lambda: True)
    monkeypatch.setattr("edgecam.camera.discovery.v4l2_nodes", machine.cameras)
    assert cli.main(["cameras", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(camera["name"], camera["address"], camera["kind"]) for camera in listed] == [
        ("Raspberry Pi camera (imx708)", "picamera:0", "pi"),
        ("Raspberry Pi camera (ov5647)", "picamera:1", "pi"),
        ("Webcam", "v4l2:usb-Sonix_Webcam-video-index0", "usb"),
    ]


def test_twins_without_serial_numbers_are_told_apart_by_their_ports(machine: Machine) -> None:
    """udev gives both the same by-id link, which then points to one of them, to another one after a reboot."""
    for number, port in ((0, "1-1"), (2, "1-2")):
        device = machine.usb(port, "USB Camera", "0c45", "6366")
        machine.node(number, device, "USB Camera", CAPTURE, by_id="usb-Sonix_USB_Camera-video-index0",
                     by_path=f"pci-0000:00:14.0-usb-0:{port[2:]}:1.0-video-index0")  # fmt: skip
    assert [node.stable_id for node in machine.cameras()] == [
        "pci-0000:00:14.0-usb-0:1:1.0-video-index0",
        "pci-0000:00:14.0-usb-0:2:1.0-video-index0",
    ]


def test_without_udev_the_bus_names_the_camera(machine: Machine) -> None:
    device = machine.platform("vivid.0", "vivid")
    machine.node(0, device, "vivid", CAPTURE, bus="platform:vivid-000")
    (node,) = machine.cameras()
    assert (node.stable_id, node.kind) == ("platform:vivid-000", CameraKind.VIRTUAL)


def test_a_camera_without_permission_is_listed_with_the_reason(machine: Machine) -> None:
    device = machine.usb("1-1", "Webcam", "0c45", "6366")
    machine.node(0, device, "Webcam", PermissionError(13, "denied"), by_id="usb-Webcam-video-index0")
    machine.node(1, device, "Webcam", PermissionError(13, "denied"), index=1)
    (node,) = machine.cameras()
    assert node.denied
    assert node.stable_id == "usb-Webcam-video-index0"


def test_a_node_that_does_not_answer_is_passed_over(machine: Machine) -> None:
    device = machine.usb("1-1", "Webcam", "0c45", "6366")
    machine.node(0, device, "Webcam", OSError(5, "input/output error"))
    assert machine.cameras() == []


def test_no_video_devices_at_all(tmp_path: Path) -> None:
    assert v4l2_nodes(tmp_path / "sys", tmp_path / "dev") == []


def test_a_snapshot_differs_when_a_camera_comes_or_goes(machine: Machine) -> None:
    def snapshot() -> object:
        return device_snapshot(machine.sysfs, machine.dev)

    empty = snapshot()
    device = machine.usb("1-1", "Webcam", "0c45", "6366")
    machine.node(0, device, "Webcam", CAPTURE)
    one = snapshot()
    assert empty != one
    assert snapshot() == one
    node = machine.dev / "video0"
    again = machine.dev / "again"
    again.touch()
    again.rename(node)  # unplugged and plugged in between two looks
    assert snapshot() != one


class TestHolders:
    def proc(self, root: Path, holders: dict[int, tuple[str, list[str]]]) -> Path:
        for pid, (program, files) in holders.items():
            folder = root / str(pid)
            (folder / "fd").mkdir(parents=True)
            (folder / "comm").write_text(program + "\n")
            for number, file in enumerate(files):
                (folder / "fd" / str(number)).symlink_to(file)
        (root / "self").mkdir(exist_ok=True)
        return root

    def test_are_named(self, tmp_path: Path) -> None:
        root = self.proc(tmp_path, {12: ("bash", ["/dev/null"]), 345: ("cheese", ["/dev/null", "/dev/video0"])})
        assert v4l2_faults.holders("/dev/video0", root) == [(345, "cheese")]
        assert v4l2_faults.holders_text("/dev/video0", root) == "cheese (process 345)"

    def test_of_other_users_are_not_seen(self, tmp_path: Path) -> None:
        assert "only the administrator" in v4l2_faults.holders_text("/dev/video0", self.proc(tmp_path, {}))


def test_this_process_is_found_as_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "node"
    with path.open("w"):
        assert [pid for pid, _program in v4l2_faults.holders(str(path))] == [os.getpid()]


class TestTheCommand:
    def test_prints_each_camera(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        cameras = [
            CameraInfo("Webcam", "v4l2:usb-Webcam-video-index0", "", "USB 1-1", CameraKind.USB),
            CameraInfo("Other", "v4l2:usb-Other-video-index0", "/dev/video2", "", CameraKind.USB, "No permission: …"),
        ]
        monkeypatch.setattr("edgecam.camera.discovery.list_cameras", lambda: cameras)
        assert cli.main(["cameras"]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith("Webcam\n  address  v4l2:usb-Webcam-video-index0\n")
        assert "problem  No permission" in printed

    def test_prints_json(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        camera = CameraInfo("Webcam", "v4l2:usb-Webcam-video-index0", "", "USB 1-1", CameraKind.USB)
        monkeypatch.setattr("edgecam.camera.discovery.list_cameras", lambda: [camera])
        assert cli.main(["cameras", "--json", "--modes"]) == 0
        (facts,) = json.loads(capsys.readouterr().out)
        assert facts == {
            "name": "Webcam", "address": "v4l2:usb-Webcam-video-index0", "device": None, "bus": "USB 1-1",
            "kind": "usb", "unusable": None, "modes": [],
        }  # fmt: skip

    def test_lists_what_was_opened_before(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        clip = write_video(tmp_path / "clip.mp4")
        # As somebody may have written it by hand; edgecam itself stores no login.
        recent = (str(clip), "rtsp://me:s3cret@cam/live", str(tmp_path / "gone.mp4"), "http://cam/v?pwd=***")
        SettingsStore(default_path()).save(Settings(recent=recent))
        monkeypatch.setattr("edgecam.camera.discovery.list_cameras", list)
        assert cli.main(["cameras", "--json", "--modes"]) == 0
        text = capsys.readouterr().out
        assert [(facts["kind"], facts["name"], facts["address"]) for facts in json.loads(text)] == [
            ("file", "clip.mp4", str(clip)),
            ("stream", "cam/live", "rtsp://cam/live"),
            ("file", "gone.mp4", str(tmp_path / "gone.mp4")),
            ("stream", "cam/v?pwd=***", "http://cam/v?pwd=***"),
        ]
        problems = [facts["unusable"] for facts in json.loads(text)]
        assert problems[:2] == [None, None]
        assert "There is no file" in problems[2]
        assert "kept without its password" in problems[3]
        assert cli.main(["cameras"]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith(
            f"Opened before\n  {clip}\n  rtsp://cam/live\n  {tmp_path / 'gone.mp4'}\n    problem  "
        )
        assert "s3cret" not in text + printed

    def test_says_that_there_is_none(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        monkeypatch.setattr("edgecam.camera.discovery.list_cameras", list)
        assert cli.main(["cameras"]) == 0
        printed = capsys.readouterr()
        assert printed.out == ""
        assert "edgecam demo" in printed.err
        assert cli.main(["cameras", "--json"]) == 0
        assert capsys.readouterr().out == "[]\n"
