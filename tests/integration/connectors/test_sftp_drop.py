"""An SFTP drop over a real connection: files can be laid in, and nothing else can be done."""

import asyncio
from contextlib import asynccontextmanager

import asyncssh
import pytest
from typer.testing import CliRunner

from connectors import sftp_drop
from connectors.arrivals import drop_folder, survey
from connectors.cli import app
from connectors.errors import WorkspaceError
from connectors.sftp_drop import add_account, serve_drop
from connectors.workspace import make_workspace

pytestmark = pytest.mark.doors


@pytest.fixture
def workspace(tmp_path):
    return make_workspace(tmp_path / "edge", organisation="novato", hub="http://hub.test")


@pytest.fixture
def key(workspace, tmp_path):
    """The key of the account `sis`."""
    made = asyncssh.generate_private_key("ssh-ed25519")
    made.write_public_key(tmp_path / "sis.pub")
    add_account(workspace, "sis", tmp_path / "sis.pub")
    return made


@asynccontextmanager
async def connected(workspace, key, *, account="sis", **options):
    server = await serve_drop(workspace, host="127.0.0.1", port=0)
    try:
        options = {"known_hosts": None, "config": None, "client_keys": [key], "username": account, **options}
        async with asyncssh.connect("127.0.0.1", server.get_port(), **options) as connection:
            yield connection
    finally:
        server.close()
        await server.wait_closed()


def over_sftp(workspace, key, act):
    async def run():
        async with connected(workspace, key) as connection, connection.start_sftp_client() as client:
            return await act(client)

    return asyncio.run(run())


def test_a_file_is_there_once_it_was_closed_and_not_before(workspace, key):
    drop = drop_folder(workspace)

    async def act(client):
        async with client.open("2026/senr.txt", "wb") as file:
            await file.write(b"half ")
            seen = survey(drop)
            await file.write(b"whole")
        return seen

    assert over_sftp(workspace, key, act) == {}
    assert (drop / "2026" / "senr.txt").read_bytes() == b"half whole"
    assert [arrival.year for arrival in survey(drop)] == [2026]


def test_a_file_whose_connection_is_cut_is_not_taken(workspace, key):
    async def act(client):
        file = await client.open("senr.txt", "wb")
        await file.write(b"half")
        client.exit()
        await client.wait_closed()

    over_sftp(workspace, key, act)

    assert [path for path in drop_folder(workspace).rglob("*") if path.is_file()] == []


REFUSED = {
    "reading": lambda client: client.open("there.txt", "rb"),
    "appending": lambda client: client.open("there.txt", "ab"),
    "listing": lambda client: client.listdir("."),
    "removing": lambda client: client.remove("there.txt"),
    "renaming": lambda client: client.rename("there.txt", "other.txt"),
    "a folder": lambda client: client.mkdir("other"),
    "a link": lambda client: client.symlink("/etc/passwd", "link"),
    "another folder": lambda client: client.open("other/name.txt", "wb"),
    "climbing out": lambda client: client.open("../name.txt", "wb"),
    "a hidden name": lambda client: client.open(".ssh", "wb"),
    "the name of a folder": lambda client: client.open("2026", "wb"),
    "a long name": lambda client: client.open("a" * 201, "wb"),
    "asking whether it is there": lambda client: client.stat("there.txt"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_else_can_be_done(what, workspace, key):
    drop_folder(workspace).mkdir()
    (drop_folder(workspace) / "2026").mkdir()
    (drop_folder(workspace) / "there.txt").write_text("kept")

    with pytest.raises(asyncssh.SFTPError):
        over_sftp(workspace, key, REFUSED[what])

    assert (drop_folder(workspace) / "there.txt").read_text() == "kept"
    assert sorted(path.name for path in workspace.folder.rglob("*") if drop_folder(workspace) in path.parents) == [
        "2026",
        "there.txt",
    ]


def test_a_name_of_unfinished_files_is_given_its_real_one(workspace, key):
    async def act(client):
        async with client.open("senr.txt.filepart", "wb") as file:
            await file.write(b"whole")
        await client.rename("senr.txt.filepart", "senr.txt")

    over_sftp(workspace, key, act)

    assert [path.name for path in drop_folder(workspace).iterdir()] == ["senr.txt"]


def test_a_file_that_grows_too_large_is_gone(workspace, key):
    async def act(client):
        async with client.open("senr.txt", "wb") as file:
            await file.write(b"x", offset=sftp_drop.FILE_BYTES_MAX)

    with pytest.raises(asyncssh.SFTPError):
        over_sftp(workspace, key, act)

    assert list(drop_folder(workspace).iterdir()) == []


def test_no_more_files_are_open_at_once_or_laid_in_by_one_connection_than_a_system_needs(workspace, key):
    async def act(client):
        files = [await client.open(f"{n}.txt", "wb") for n in range(sftp_drop.FILES_OPEN_MAX)]
        with pytest.raises(asyncssh.SFTPError, match="too many files"):
            await client.open("one-more.txt", "wb")
        for file in files:
            await file.close()
        for _ in range(sftp_drop.FILES_MAX - sftp_drop.FILES_OPEN_MAX):
            async with client.open("again.txt", "wb"):
                continue
        with pytest.raises(asyncssh.SFTPError, match="too many files"):
            await client.open("last.txt", "wb")

    over_sftp(workspace, key, act)

    assert len(list(drop_folder(workspace).iterdir())) == sftp_drop.FILES_OPEN_MAX + 1


@pytest.mark.parametrize("account", ["other", "../sis", "root"])
def test_another_account_or_key_is_not_let_in(account, workspace, key):
    async def run(name, with_key):
        async with connected(workspace, with_key, account=name):
            pass

    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(run(account, key))
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(run("sis", asyncssh.generate_private_key("ssh-ed25519")))


def test_there_is_no_shell_and_no_forwarding(workspace, key):
    async def run():
        async with connected(workspace, key) as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", 9)
            done = await connection.run("id")
            return done.stdout, done.exit_status

    try:
        stdout, status = asyncio.run(run())
    except asyncssh.ChannelOpenError:
        return
    assert (stdout, status) != ("", 0)
    assert "uid" not in stdout


def test_the_command_adds_an_account_and_serves_only_with_one(workspace, tmp_path):
    asyncssh.generate_private_key("ssh-ed25519").write_public_key(tmp_path / "one.pub")

    alone = CliRunner().invoke(app, ["sftp", str(workspace.folder)])
    added = CliRunner().invoke(
        app, ["sftp", str(workspace.folder), "--account", "sis", "--key", str(tmp_path / "one.pub")]
    )
    wrong = CliRunner().invoke(app, ["sftp", str(workspace.folder), "--account", "../x", "--key", str(tmp_path)])

    assert alone.exception.code == "EDGE-046"
    assert "sis may lay files in, with key SHA256:" in added.output
    assert isinstance(wrong.exception, WorkspaceError)
    assert wrong.exception.code == "EDGE-045"
