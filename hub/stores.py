"""Where the files of each store lie, by the settings: in folders of the home, or in a bucket.

Rows, spans and facts may lie in a bucket. Salts never do: a salt that is destroyed must be gone, and a bucket may keep
versions. The inbox and the hand-over folder hold what is on its way and stay in the home too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hub.buckets import Bucket, Credentials, open_bucket, read_address, read_credentials
from hub.files import AnalysisStore, Folder, Place, analysis_store
from hub.settings import OPERATOR, Home, Settings

FOLDERS = {"rows": "linkage/rows", "spans": "linkage/spans", "analysis": "analysis", "salts": "salts"}
"""By store its folder in the home; in a bucket, and in a backup, it has the same name."""
IN_BUCKET = ("rows", "spans", "analysis")


def place_of(settings: Settings, store: str, *, role: str = OPERATOR) -> Place:
    """Where a store's files lie, as one role comes to them."""
    if not settings.files_url or store not in IN_BUCKET:
        return Folder(settings.home / FOLDERS[store])
    return bucket_of(settings, store, role=role)


def bucket_of(settings: Settings, store: str, *, role: str = OPERATOR) -> Bucket:
    """The bucket's folder for a store; raises SettingError where address or keys are not of their form."""
    keys = settings.files_keys.replace("{role}", role)
    credentials = read_credentials(Path(keys)) if keys else Credentials()
    return open_bucket(read_address(settings.files_url), credentials, FOLDERS[store])


def places_of(settings: Settings, *, role: str = OPERATOR) -> Mapping[str, Place]:
    """Where all stores' files lie."""
    return {store: place_of(settings, store, role=role) for store in FOLDERS}


def places_in(home: Home) -> Mapping[str, Place]:
    """All stores in folders of a home."""
    return {store: Folder(home.path / folder) for store, folder in FOLDERS.items()}


def facts_store(settings: Settings, *, role: str = OPERATOR) -> AnalysisStore:
    """Facts and snapshots, with the engine that the settings name."""
    place = place_of(settings, "analysis", role=role)
    return analysis_store(Home(settings.home), engine=settings.engine("counting"), place=place)
