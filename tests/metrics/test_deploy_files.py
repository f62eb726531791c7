"""deploy/alerts.yml and deploy/grafana.json: whatever they name exists, and Prometheus' checker takes it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from disgram.health.sentences import SENTENCES
from disgram.metrics.totals import LANES
from disgram.workers.spec import WorkerState
from tests.integration.programs import program
from tests.metrics.test_families import NAMES

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ALERTS = DEPLOY / "alerts.yml"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
VALUES: dict[str, set[str]] = {
    "state": {state.value for state in WorkerState},
    "reason": set(SENTENCES),
    "result": {"sent", "edited", "deleted", "failed", "filtered"},
    "lane": set(LANES),
}
"""Labels whose values are known beforehand."""
OF_PROMETHEUS = {"job", "instance"}


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(ALERTS.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def strings(node: Any, *names: str) -> Iterator[str]:
    """The values of these keys, wherever in the dashboard."""
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key in names and isinstance(value, str))
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from strings(item, *names)


def dashboard_expressions() -> list[str]:
    return sorted({*strings(DASHBOARD, "expr"), *strings(DASHBOARD, "definition")})


EXPRESSIONS = [*(rule["expr"] for rule in rules()), *dashboard_expressions()]


def selectors(expression: str) -> list[tuple[str, str]]:
    """(metric, what stands in its braces)."""
    return re.findall(r"\b(disgram_\w+)(?:\{(.*?)\})?", re.sub(r"\b(?:by|without) \(.*?\)", "", expression))


def metrics_of(expression: str) -> list[tuple[str, str]]:
    """Without labels that stand alone, as in `label_values(metric, label)`."""
    return [(name, braces) for name, braces in selectors(expression) if name != "disgram_job"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_that_is_named_exists(expression: str) -> None:
    found = {name for name, _ in metrics_of(expression)}
    assert found <= set(NAMES)
    assert found or "up{" in expression


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_that_is_named_exists_and_can_have_that_value(expression: str) -> None:
    for metric, braces in metrics_of(expression):
        for label, value in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"(.*?)"', braces):
            assert label in NAMES[metric] | OF_PROMETHEUS, metric
            if label in VALUES:
                assert set(value.split("|")) <= VALUES[label]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_label_that_is_summed_by_exists(expression: str) -> None:
    known = set.union(OF_PROMETHEUS, *(NAMES[metric] for metric, _ in metrics_of(expression)))
    for labels in re.findall(r"\bby \((.*?)\)", expression):
        assert set(re.split(r",\s*", labels)) <= known


@pytest.mark.parametrize("template", sorted({*strings(DASHBOARD, "legendFormat")}))
def test_legends_name_labels_that_metrics_have(template: str) -> None:
    assert set(re.findall(r"\{\{(\w+)\}\}", template)) <= set.union(*NAMES.values())


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_alert_says_what_is_wrong_and_how_urgent(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description"}


def test_dashboard_has_no_two_panels_in_one_place_or_of_one_id() -> None:
    panels = DASHBOARD["panels"]
    taken = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(panels) > 10


def test_dashboard_takes_the_data_source_that_its_reader_chooses() -> None:
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    sources = [panel["datasource"] for panel in DASHBOARD["panels"]]
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
    used = set(re.findall(r"\$(\w+)", " ".join(dashboard_expressions())))
    assert used == set(variables) - {"datasource"} | {"__rate_interval"}


def test_every_metric_but_the_version_is_looked_at() -> None:
    shown = {name for expression in EXPRESSIONS for name, _ in metrics_of(expression)}
    assert shown == set(NAMES)


# --- by Prometheus' own checker -------------------------------------------------------------------------


def promtool(*arguments: str) -> str:
    command = [program("promtool", always_in_ci=False), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_takes_the_alert_rules() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(ALERTS))


def test_prometheus_takes_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    texts = [*strings(DASHBOARD, "expr")]
    filled = [re.sub(r"\$__rate_interval", "5m", text) for text in texts]
    records = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(filled)]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": records}]}), "utf-8")
    assert f"{len(texts)} rules found" in promtool("check", "rules", str(path))


CHANNEL = 'job="disgram", instance="a", disgram_job="news", channel="durov"'
SERVICE = 'job="disgram", instance="a"'
WELL = {
    f"up{{{SERVICE}}}": "1x90",
    f'disgram_workers{{{SERVICE}, state="failed"}}': "0x90",
    f'disgram_problems{{{SERVICE}, reason="webhook_gone"}}': "0x90",
    f'disgram_problems{{{SERVICE}, reason="gap"}}': "0x90",
    f'disgram_posts_total{{{SERVICE}, disgram_job="news", result="failed"}}': "3x90",
    f"disgram_channel_lag_seconds{{{CHANNEL}}}": "90x90",
    f"disgram_channel_last_post_timestamp_seconds{{{CHANNEL}}}": "0+60x90",
    f"disgram_telegram_pace_ratio{{{SERVICE}}}": "0.4x90",
    f"disgram_discord_invalid_requests{{{SERVICE}}}": "12x90",
}
"""Series -> its values, one a minute."""


@pytest.mark.parametrize(
    ("changes", "alerts"),
    [
        ({}, []),
        ({"up{": "0x90"}, ["DisgramDown"]),
        ({"up{": ""}, ["DisgramDown"]),
        ({"disgram_workers": "2x90"}, ["DisgramDegraded"]),
        ({"webhook_gone": "1x90"}, ["DisgramWebhookGone"]),
        ({'"gap"': "1x90"}, ["DisgramProblem"]),
        ({"disgram_posts_total": "3x60 4x29"}, ["DisgramPostsFailed"]),
        ({"disgram_channel_lag": "7200x90"}, ["DisgramPostsLate"]),
        ({"disgram_channel_lag": "7200x90", "last_post": "0x90"}, []),
        ({"pace_ratio": "1.2x90"}, ["DisgramPollsLate"]),
        ({"invalid": "1500x90"}, ["DisgramInvalidRequests"]),
    ],
    ids=lambda value: "+".join(value) or "nothing",
)
def test_alert_fires_for_its_trouble_alone(
    tmp_path: Path, changes: dict[str, str], alerts: list[str]
) -> None:
    values = {
        series: next((new for part, new in changes.items() if part in series), old)
        for series, old in WELL.items()
    }
    fired = [
        {
            "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}})',
            "eval_time": "85m",
            "exp_samples": [{"labels": "{}", "value": 1}] if name in alerts else [],
        }
        for name in (rule["alert"] for rule in rules())
    ]
    test = {
        "rule_files": [str(ALERTS)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": name, "values": given} for name, given in values.items() if given
                ],
                "promql_expr_test": fired,
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump(test), "utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(path))
