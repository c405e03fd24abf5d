"""Which engine links: chosen by name, refused with a next step where it is unknown or not installed."""

import pytest

from hub.engine_choice import EMBEDDED, SPARK, EngineChoice
from hub.errors import SettingError
from hub.linking.engine import started
from linkage.match.matcher import compare_view
from linkage.match.persons import joined_heads


def test_the_embedded_engine_is_the_default():
    with started(EngineChoice()) as engine:
        assert (engine.name, engine.compare, engine.join) == (EMBEDDED, compare_view, joined_heads)


def test_an_engine_that_is_unknown_is_refused():
    with pytest.raises(SettingError) as told, started(EngineChoice("abacus")):
        pass

    assert (told.value.code, told.value.next_step) == ("engine-unknown", "Use one of: embedded, spark.")


def test_spark_without_java_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    with pytest.raises(SettingError) as told, started(EngineChoice(SPARK)):
        pass

    assert told.value.code == "spark-missing"
    assert "requirements-spark.lock" in told.value.next_step
