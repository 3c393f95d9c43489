"""A charm on disk: its metadata, its options, its actions."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from .errors import CharmError

Role = Literal["provides", "requires", "peers"]

_METADATA_KEYS = (
    *("name", "title", "summary", "description", "assumes", "containers", "peers", "provides"),
    *("requires", "resources", "storage", "subordinate", "extra-bindings", "charm-user"),
)


@dataclass(frozen=True)
class EndpointSpec:
    """One endpoint of a charm's metadata."""

    name: str
    interface: str
    role: Role
    limit: int | None = None


@dataclass(frozen=True)
class StorageSpec:
    """One storage of a charm's metadata; only file systems are modelled."""

    name: str
    minimum: int = 1


@dataclass(frozen=True)
class CharmSpec:
    """What a charm declares.

    Attributes:
        name: The name of the charm.
        root: The directory that holds its code.
        metadata: ``metadata.yaml``, as ``charmcraft pack`` would write it.
        options: ``options`` of ``config.yaml``.
        actions: ``actions.yaml``.
        packed: Whether it came as a ``.charm`` file, with its Python packages inside.
    """

    name: str
    root: Path
    metadata: Mapping[str, Any]
    options: Mapping[str, Mapping[str, Any]]
    actions: Mapping[str, Mapping[str, Any]]
    packed: bool = False
    endpoints: Mapping[str, EndpointSpec] = field(default_factory=dict[str, EndpointSpec])

    @classmethod
    def load(cls, path: Path, unpack_into: Path) -> CharmSpec:
        """Read a charm.

        Args:
            path: A ``.charm`` file, or a directory with charmcraft.yaml or metadata.yaml.
            unpack_into: Where to unpack a ``.charm`` file.

        Raises:
            CharmError: If there is no charm at that path.
        """
        if path.is_file():
            try:
                _unpack(path, unpack_into)
            except zipfile.BadZipFile as error:
                raise CharmError(f"{path} is not a .charm file: {error}") from None
            return cls._read(unpack_into, packed=True)
        if path.is_dir():
            return cls._read(path.resolve(), packed=False)
        raise CharmError(f"there is no charm at {path}")

    @classmethod
    def _read(cls, root: Path, *, packed: bool) -> CharmSpec:
        charmcraft = _load_yaml(root / "charmcraft.yaml")
        metadata = _load_yaml(root / "metadata.yaml")
        metadata = {k: v for k, v in charmcraft.items() if k in _METADATA_KEYS} | metadata
        if not metadata.get("name"):
            raise CharmError(
                f"{root} holds no charm: charmcraft.yaml or metadata.yaml must give a name"
            )
        config = _load_yaml(root / "config.yaml") or charmcraft.get("config") or {}
        actions = _load_yaml(root / "actions.yaml") or charmcraft.get("actions") or {}
        roles: tuple[Role, ...] = ("provides", "requires", "peers")
        endpoints = {
            name: EndpointSpec(name, str(spec.get("interface", "")), role, spec.get("limit"))
            for role in roles
            for name, spec in _section(metadata, role).items()
        }
        endpoints["juju-info"] = EndpointSpec("juju-info", "juju-info", "provides")
        return cls(
            name=str(metadata["name"]),
            root=root,
            metadata=metadata,
            options=config.get("options") or {},
            actions=actions,
            packed=packed,
            endpoints=endpoints,
        )

    @property
    def storages(self) -> tuple[StorageSpec, ...]:
        """The file systems that every unit gets."""
        specs: list[StorageSpec] = []
        for name, spec in _section(self.metadata, "storage").items():
            multiple: dict[str, Any] = spec.get("multiple") or {}
            count = str(multiple.get("range", "1")).partition("-")[0]
            specs.append(StorageSpec(name, int(count) if count.isdigit() else 1))
        return tuple(specs)

    @property
    def entry_point(self) -> str:
        """The script that a hook runs, relative to the root."""
        return "src/charm.py"

    def default_config(self) -> dict[str, Any]:
        """The options that have a default."""
        return {k: v["default"] for k, v in self.options.items() if v.get("default") is not None}

    def write_split(self, target: Path) -> None:
        """Write metadata.yaml, config.yaml and actions.yaml, as a deployed charm has them."""
        documents = {
            "metadata.yaml": self.metadata,
            "config.yaml": {"options": self.options},
            "actions.yaml": self.actions,
        }
        for name, document in documents.items():
            (target / name).write_text(yaml.safe_dump(_plain(document), sort_keys=False))


def _section(metadata: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """A part of the metadata that maps names to specifications; empty if it is not there."""
    section: dict[str, dict[str, Any] | None] = metadata.get(name) or {}
    return {key: spec or {} for key, spec in section.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in cast("Mapping[Any, Any]", value).items()}
    return value


def _load_yaml(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        return {}
    except yaml.YAMLError as error:
        raise CharmError(f"{path} is not YAML: {error}") from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise CharmError(f"{path} must hold a mapping")
    return cast("dict[str, Any]", loaded)


def _unpack(archive: Path, target: Path) -> None:
    """Unpack a zip file with the permissions and links that charmcraft stores in it."""
    target.mkdir(parents=True, exist_ok=True)
    base = target.resolve()
    with zipfile.ZipFile(archive) as opened:
        for item in opened.infolist():
            path = base / item.filename
            if not path.resolve().is_relative_to(base):
                raise CharmError(f"{archive} holds a path outside of itself: {item.filename}")
            mode = item.external_attr >> 16
            if (mode & 0o170000) == 0o120000:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.symlink_to(opened.read(item).decode())
                continue
            opened.extract(item, base)
            if mode & 0o777:
                path.chmod(mode & 0o777)
