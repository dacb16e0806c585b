"""What a topic's type looks like and hashes to, which every bag must hold to be understood."""

from __future__ import annotations

from typing import Any, NamedTuple

from caer_ros.perception.bags.definitions import PACKAGE
from caer_ros.perception.bags.library import load_rosbags

_IDL_PART = "=" * 80 + "\n"


class TypeText(NamedTuple):
    """A message type's definition, with those of all types in it, and its RIHS01 hash."""

    text: str
    digest: str


def type_text(connection: Any, store: Any) -> TypeText | None:
    """The definition of a connection's type, from the bag or, for ROS's own types, from `store`.

    Bags of ROS 2 Humble in sqlite3 hold no definitions. ROS's own types hardly change, but
    those of caer_msgs have, so that what `store` says of them need not be true of the bag.

    Returns:
        None where nobody knows the type, or rosbags can not read its definition.
    """
    interfaces = load_rosbags().interfaces
    kind, definition = connection.msgtype, connection.msgdef
    formats = interfaces.MessageDefinitionFormat
    if definition.format == formats.NONE:
        if kind not in store.fielddefs or kind.startswith(f"{PACKAGE}/"):
            return None
        return TypeText(store.generate_msgdef(kind, ros_version=2)[0], store.hash_rihs01(kind))
    if definition.format == formats.IDL and not definition.data.startswith(f"{_IDL_PART}IDL: "):
        return None
    try:
        digest = connection.digest or _hash(connection)
    except Exception:  # rosbags' parsers raise what they like on what they do not know
        return None
    return TypeText(definition.data, digest)


def _hash(connection: Any) -> str:
    typesys = load_rosbags().typesys
    formats = load_rosbags().interfaces.MessageDefinitionFormat
    definition, found = connection.msgdef, {}
    if definition.format == formats.MSG:
        found.update(typesys.get_types_from_msg(definition.data, connection.msgtype))
    else:
        for part in definition.data.split(_IDL_PART)[1:]:
            found.update(typesys.get_types_from_idl(part.split("\n", 1)[1]))
    store = typesys.get_typestore(typesys.Stores.EMPTY)
    store.register(found)
    return str(store.hash_rihs01(connection.msgtype))
