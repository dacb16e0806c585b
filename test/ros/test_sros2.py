"""Policies: of the format's structure, and neither less nor more than what a real node does."""

from __future__ import annotations

import fnmatch
import importlib.util
from pathlib import Path
from xml.etree import ElementTree

import pytest

# Format 0.2.0: what each element may contain, and its attributes (True: required).
_RULES = {
    "policy": ({"enclaves"}, {"version": True}),
    "enclaves": ({"enclave"}, {}),
    "enclave": ({"profiles"}, {"path": True}),
    "profiles": ({"profile", "metadata"}, {"type": False}),
    "profile": ({"topics", "services", "actions"}, {"ns": True, "node": True}),
    "topics": ({"topic"}, {"publish": False, "subscribe": False}),
    "services": ({"service"}, {"request": False, "reply": False}),
    "actions": ({"action"}, {"call": False, "execute": False}),
    "topic": (set(), {}),
    "service": (set(), {}),
    "action": (set(), {}),
}
_QUALIFIERS = {"publish", "subscribe", "request", "reply", "call", "execute"}
FILES = ("emotion_node", "two_cameras")

# Topics of messages that not every machine has, and what exists only once somebody is seen.
_WHERE_INSTALLED = {
    "vision_msgs": ("detections",),
    "foxglove_msgs": ("annotations",),
    "hri_msgs": ("/humans/",),
}


def parse(root: Path, name: str) -> ElementTree.Element:
    return ElementTree.parse(root / "sros2" / f"{name}.policy.xml").getroot()


def allowed(policy: ElementTree.Element, kind: str, qualifier: str) -> set[str]:
    """Full names that the policy's one profile allows."""
    (profile,) = policy.iter("profile")
    assert profile.get("ns") == "/"
    names = set()
    for group in profile.findall(kind):
        if group.get(qualifier) == "ALLOW":
            texts = [(item.text or "").strip() for item in group]
            names |= {text.replace("~", f"/{profile.get('node')}", 1) for text in texts}
    return {name if name.startswith("/") else f"/{name}" for name in names}


def complaints(element: ElementTree.Element) -> list[str]:
    """What is wrong with an element and all below it."""
    children, attributes = _RULES.get(element.tag, (None, None))
    if children is None:
        return [f"unknown element {element.tag}"]
    wrong = [f"{element.tag} in it: {c.tag}" for c in element if c.tag not in children]
    wrong += [f"{element.tag} is empty" for _ in [0] if children and not len(element)]
    wrong += [f"{element.tag}@{name}" for name in element.attrib if name not in attributes]
    wrong += [f"no @{name}" for name, must in attributes.items() if must and not element.get(name)]
    wrong += [f"@{n}={v}" for n, v in element.items() if n in _QUALIFIERS and v != "ALLOW"]
    if not children and not (element.text or "").strip():
        wrong.append(f"{element.tag} without a name")
    return wrong + [line for child in element for line in complaints(child)]


@pytest.mark.parametrize("name", FILES)
def test_the_policy_has_the_formats_structure(root, name):
    policy = parse(root, name)
    assert policy.tag == "policy"
    assert policy.get("version") == "0.2.0"
    assert complaints(policy) == []


def test_the_documents_policy_has_it_too(root):
    text = (root / "docs" / "security.md").read_text()
    policy = ElementTree.fromstring(text.split("```xml\n")[1].split("```")[0])
    assert complaints(policy) == []
    assert allowed(policy, "topics", "subscribe") == {"/emotions"}


def test_every_policy_is_tested_and_installed(root):
    assert {path.name for path in (root / "sros2").iterdir()} == {
        f"{name}.policy.xml" for name in FILES
    }
    assert '*shared("sros2")' in (root / "setup.py").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "<policy version='0.2.0'><enclave path='/a'/></policy>",
        "<topics publish='YES'><topic>a</topic></topics>",
        "<topics reply='ALLOW'><topic>a</topic></topics>",
        "<topics publish='ALLOW'><topic> </topic></topics>",
        "<profile node='a'><topics publish='ALLOW'><topic>a</topic></topics></profile>",
        "<services reply='ALLOW'/>",
    ],
)
def test_this_test_sees_mistakes(text):
    assert complaints(ElementTree.fromstring(text))


@pytest.mark.parametrize("name", FILES)
def test_permissions_are_small(root, name):
    """No star but in the place of a person's id; the node calls no service and no action."""
    policy = parse(root, name)
    names = [(item.text or "").strip() for tag in ("topic", "service") for item in policy.iter(tag)]
    assert len(names) == len(set(names))
    stars = {text for text in names if set(text) & set("*?[")}
    assert all(text.startswith("/humans/") and text.count("*") == 1 for text in stars), stars
    assert not list(policy.iter("actions"))
    assert allowed(policy, "services", "request") == set()
    heard = allowed(policy, "topics", "subscribe")
    assert all("image_raw" in text or text.endswith("/camera_info") for text in heard)


def graph(stage) -> dict[str, set[str]]:
    """What the running node really publishes, hears and serves, as far as it is discovered."""
    node = stage.probe.node
    of_node = ("emotion_node", "/")
    if of_node not in node.get_node_names_and_namespaces():
        return {"publish": set(), "subscribe": set(), "reply": set()}
    return {
        "publish": {n for n, _ in node.get_publisher_names_and_types_by_node(*of_node)},
        "subscribe": {n for n, _ in node.get_subscriber_names_and_types_by_node(*of_node)},
        "reply": {n for n, _ in node.get_service_names_and_types_by_node(*of_node)},
    }


def differences(policy: ElementTree.Element, real: dict[str, set[str]]) -> dict[str, set[str]]:
    """What the node does without being allowed to, and what it may do without doing it."""
    wrong = {}
    for qualifier, used in real.items():
        names = allowed(policy, "services" if qualifier == "reply" else "topics", qualifier)
        denied = {n for n in used if not any(fnmatch.fnmatchcase(n, one) for one in names)}
        # Not counted: what needs messages that are not installed here, or another kind of camera.
        spare = {n for n in names - used if "*" not in n and not _needs_more(n)}
        if qualifier == "subscribe":
            spare = {n for n in spare if not n.endswith(("/compressed", "/camera_info"))}
        if qualifier == "reply":
            spare -= {"/emotion_node/get_type_description"}  # Humble has none
        wrong |= {f"{qualifier} denied": denied, f"{qualifier} for nothing": spare}
    return {what: names for what, names in wrong.items() if names}


def test_differences_are_seen(root):
    policy = parse(root, "emotion_node")
    real = {
        "publish": {n for n in allowed(policy, "topics", "publish") if "*" not in n},
        "subscribe": allowed(policy, "topics", "subscribe"),
        "reply": allowed(policy, "services", "reply"),
    }
    real["publish"].add("/humans/faces/f0001/roi")
    assert differences(policy, real) == {}
    real["publish"] = {*real["publish"], "/secrets"} - {"/emotions"}
    real["reply"].add("/emotion_node/shell")
    assert differences(policy, real) == {
        "publish denied": {"/secrets"},
        "publish for nothing": {"/emotions"},
        "reply denied": {"/emotion_node/shell"},
    }


def check(stage, root: Path, name: str) -> None:
    """Waits until the whole graph is discovered, and then for nothing more."""
    policy = parse(root, name)
    stage.probe.until(lambda: not differences(policy, graph(stage)), 10.0)
    assert differences(policy, graph(stage)) == {}


def _needs_more(name: str) -> bool:
    return any(
        word in name and importlib.util.find_spec(package) is None
        for package, words in _WHERE_INSTALLED.items()
        for word in words
    )


def test_a_running_node_does_what_the_policy_allows(stage, root, astronaut):
    stage.active_node()
    assert stage.probe.ask(astronaut) is not None
    check(stage, root, "emotion_node")


def test_so_does_one_with_two_cameras(stage, root):
    stage.node(image_topics="[/front/image_raw, /rear/image_raw]")
    probe = stage.probe
    assert probe.until(lambda: probe.node.count_subscribers("/rear/image_raw") == 1, 30.0)
    assert probe.state() == "active"
    check(stage, root, "two_cameras")
