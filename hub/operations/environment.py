"""The environment reference, made from the settings that the hub declares; `deploy/hub.env` is its output."""

from __future__ import annotations

from hub.settings import Settings

HEAD = """# Every setting of the hub; made by `promise-hub operations environment`. Copy it to /etc/promise-hub/hub.env,
# mode 0640, and take the sign away from those that differ. No secret stands here: passwords lie in files (PGPASSFILE,
# smtp_password_file).
"""


def reference() -> str:
    """One commented line a setting, under its help text."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        value = "" if field.is_required() else field.default
        value = "/var/lib/promise-hub/home" if name == "home" else value
        lines.append(f"# {field.description}\n#PROMISE_HUB_{name.upper()}={value}\n")
    return "\n".join(lines)
