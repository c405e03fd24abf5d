"""What a steward hands to the machine's own scheduler, so that a watched folder is taken in every night.

One look of `promise-edge watch --once` takes in what is new, sends it, sends what was left over, and ends.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath
from xml.sax.saxutils import escape

from connectors.errors import WorkspaceError

SYSTEMS: Mapping[str, str] = {"linux": "linux", "darwin": "macos", "win32": "windows"}
"""Python's names of systems, in ours."""
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


def lines_for(system: str, *, folder: Path, at: str, python: Path) -> Iterator[str]:
    """The lines for a system; raises WorkspaceError EDGE-042 for another system or time."""
    made = {"linux": _systemd, "cron": _cron, "macos": _launchd, "windows": _task}.get(SYSTEMS.get(system, system))
    time = _TIME.fullmatch(at)
    if made is None or time is None:
        raise WorkspaceError(
            "EDGE-042", "This system or time is not known.", "Give --system linux, cron, macos or windows, --at HH:MM."
        )
    return made(_command(python), folder, time[1], time[2])


def _command(python: Path) -> Path:
    """The program beside this Python, wherever it was installed."""
    name = "promise-edge.exe" if python.suffix.casefold() == ".exe" else "promise-edge"
    return python.with_name(name)


def _systemd(program: Path, folder: Path, hour: str, minute: str) -> Iterator[str]:
    yield "# ~/.config/systemd/user/promise-edge.service"
    yield "[Service]"
    yield "Type=oneshot"
    yield f"ExecStart={_unit(program)} watch {_unit(folder)} --once"
    yield "UMask=0077"
    yield "# with wrapped keys: LoadCredential=passphrase:FILE"
    yield "# and Environment=PROMISE_EDGE_PASSPHRASE_FILE=%d/passphrase"
    yield ""
    yield "# ~/.config/systemd/user/promise-edge.timer"
    yield "[Timer]"
    yield f"OnCalendar=*-*-* {hour}:{minute}:00"
    yield "RandomizedDelaySec=20m"
    yield "Persistent=true"
    yield "[Install]"
    yield "WantedBy=timers.target"
    yield ""
    yield "next: systemctl --user daemon-reload && systemctl --user enable --now promise-edge.timer"


def _cron(program: Path, folder: Path, hour: str, minute: str) -> Iterator[str]:
    log = folder / "watch.log"
    command = f"{shlex.quote(str(program))} watch {shlex.quote(str(folder))} --once >> {shlex.quote(str(log))} 2>&1"
    yield f"{int(minute)} {int(hour)} * * * umask 077; {command.replace('%', chr(92) + '%')}"
    yield "next: crontab -e, and add the line above"


def _launchd(program: Path, folder: Path, hour: str, minute: str) -> Iterator[str]:
    words = "".join(f"<string>{escape(str(word))}</string>" for word in (program, "watch", folder, "--once"))
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<plist version="1.0"><dict>'
    yield "  <key>Label</key><string>promise-edge</string>"
    yield f"  <key>ProgramArguments</key><array>{words}</array>"
    yield "  <key>StartCalendarInterval</key><dict>"
    yield f"    <key>Hour</key><integer>{int(hour)}</integer><key>Minute</key><integer>{int(minute)}</integer>"
    yield "  </dict>"
    yield f"  <key>StandardErrorPath</key><string>{escape(str(folder / 'watch.log'))}</string>"
    yield "</dict></plist>"
    yield ""
    yield "next: save it as ~/Library/LaunchAgents/promise-edge.plist, then"
    yield "      launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/promise-edge.plist"


def _task(program: Path, folder: Path, hour: str, minute: str) -> Iterator[str]:
    told = f'\\"{PureWindowsPath(program)}\\" watch \\"{PureWindowsPath(folder)}\\" --once'
    yield f'schtasks /Create /TN promise-edge /SC DAILY /ST {hour}:{minute} /TR "{told}"'
    yield "next: run the line above in a command window of the person whose keys these are"


def _unit(path: Path) -> str:
    """A path in a systemd unit: quoted, and % and $ doubled."""
    written = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{written}"'
