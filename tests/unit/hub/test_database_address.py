"""The hub starts with no database on another machine unless the way to it is encrypted and the server is known."""

import pytest
from sqlalchemy.engine import make_url

from hub.errors import SettingError
from hub.settings import Settings

BASE = "postgresql+psycopg://promise_{role}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:////srv/hub.db",
        f"{BASE}@/hub",
        f"{BASE}@/hub?host=/var/run/postgresql",
        f"{BASE}@localhost/hub",
        f"{BASE}@127.0.0.1:5433/hub",
        f"{BASE}@[::1]:5433/hub",
        f"{BASE}@database.example/hub?sslmode=verify-full&sslrootcert=/etc/database.crt",
    ],
)
def test_a_database_on_this_machine_or_by_a_verified_certificate_serves(tmp_path, url):
    found = Settings(home=tmp_path, database_url=url).resolved_database_url("api")

    assert "{role}" not in found


def test_each_role_comes_by_its_own_certificate_where_the_address_names_one(tmp_path):
    files = "sslcert=/etc/promise-hub/logins/{role}.crt&sslkey=/etc/promise-hub/logins/{role}.key"
    url = f"{BASE}@database.example/hub?sslmode=verify-full&sslrootcert=/etc/database.crt&{files}"

    asked = dict(make_url(Settings(home=tmp_path, database_url=url).resolved_database_url("signer")).query)

    assert (asked["sslcert"], asked["sslkey"]) == tuple(
        f"/etc/promise-hub/logins/signer.{end}" for end in ("crt", "key")
    )


@pytest.mark.parametrize(
    "told",
    [
        "@database.example/hub",
        "@database.example/hub?sslmode=require",
        "@database.example/hub?sslmode=verify-ca",
        "@10.0.0.7:5432/hub",
        "@/hub?host=database.example",
        "@/hub?host=localhost,database.example",
        "@/hub?host=localhost:5432&host=database.example:5432",
        "@localhost.example/hub",
        "@/hub?hostaddr=10.0.0.7",
        "@localhost/hub?hostaddr=10.0.0.7",
        "@/hub?service=county",
    ],
)
def test_any_other_way_is_refused_and_the_address_is_not_told(tmp_path, told):
    settings = Settings(home=tmp_path, database_url=f"{BASE}:zyblen{told}")

    with pytest.raises(SettingError) as refused:
        settings.resolved_database_url("api")

    assert refused.value.code == "database-plain"
    assert "zyblen" not in f"{refused.value} {refused.value.detail} {refused.value.next_step}"
