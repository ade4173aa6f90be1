"""An RTSP server for tests, run with Debian's own Python, which has GStreamer: `rtsp_server.py PORT [OPTIONS]`.

Serves /live: the pixels of each frame hold the monotonic clock (ms) at the moment the frame was made, as 32 cells,
black or white, least significant first. Prints "ready".
"""

import argparse
import time

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

BITS = 32


def picture(width, height):
    cell = width // BITS
    value = int(time.monotonic() * 1000)
    row = b"".join((b"\xeb" if value >> bit & 1 else b"\x10") * cell for bit in range(BITS))
    row += b"\x10" * (width - len(row))
    return row * height + b"\x80" * (width * height // 2)


class Factory(GstRtspServer.RTSPMediaFactory):
    def __init__(self, options):
        super().__init__()
        self.options = options

    def do_create_element(self, url):
        options = self.options
        return Gst.parse_launch(
            "( appsrc name=source is-live=true format=time do-timestamp=true "
            f"caps=video/x-raw,format=I420,width={options.width},height={options.height},framerate={options.fps}/1 "
            f"! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={options.fps} "
            "! rtph264pay name=pay0 pt=96 config-interval=-1 )"
        )

    def do_configure(self, media):
        options = self.options
        if options.transport != "any":
            kinds = GstRtsp.RTSPLowerTrans
            media.set_protocols(kinds.TCP if options.transport == "tcp" else kinds.UDP)
        source = media.get_element().get_by_name("source")
        state = {"frames": 0}

        def push():
            if options.freeze_after and state["frames"] >= options.freeze_after:
                return True
            if options.resize_after and state["frames"] == options.resize_after:
                options.width, options.height = map(int, options.resize_to.split("x"))
            state["frames"] += 1
            size = f"width={options.width},height={options.height}"
            caps = Gst.Caps.from_string(f"video/x-raw,format=I420,{size},framerate={options.fps}/1")
            sample = Gst.Sample.new(Gst.Buffer.new_wrapped(picture(options.width, options.height)), caps, None, None)
            return source.emit("push-sample", sample) == Gst.FlowReturn.OK

        GLib.timeout_add(1000 // options.fps, push)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port")
    parser.add_argument("--login", help="user:password")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=int, default=25)
    parser.add_argument("--freeze-after", type=int, default=0)
    parser.add_argument("--resize-after", type=int, default=0)
    parser.add_argument("--resize-to", default="320x180")
    parser.add_argument("--transport", choices=("any", "tcp", "udp"), default="any")
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    factory = Factory(options)
    if options.login:
        user, password = options.login.split(":")
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_digest(user, password, token)
        server.set_auth(auth)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_permission_for_role("user", "media.factory.access", True)
        permissions.add_permission_for_role("user", "media.factory.construct", True)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    GLib.MainLoop().run()


main()
