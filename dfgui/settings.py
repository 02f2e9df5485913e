"""Where dfgui keeps its things and what it may touch: DFGUI_HOME and every environment variable, read in one place.

    DFGUI_HOME/            default ~/.dfgui
      dfgui.db             the store
      runs/RUN/            checkpoint-20/, train.log, ... of one run
      uploads/             files dropped on the page
      exports/             merged models while they are being downloaded, a folder for each process
      shapes/              what models take of the memory (models/shapes.py)
      callbacks/           files with callbacks of the user's own, where there are any

Paths that arrive over HTTP must lie inside the home or a folder the owner allowed, and code named over HTTP must be
what the owner allowed; the command line is its user's own and may read, write and run whatever that user may.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from dfgui.errors import UserError

CALLBACKS_FOLDER = "callbacks/"  # in DFGUI_ALLOWED_CALLBACKS: whatever lies in the home's folder of that name


@dataclass(frozen=True)
class OAuth:
    client_id: str
    client_secret: str = field(repr=False)
    provider: str = "https://huggingface.co"


@dataclass(frozen=True)
class Wandb:
    """Weights & Biases. `offline`: it writes files only, and needs no key."""

    key: str | None = field(default=None, repr=False)
    url: str = "https://api.wandb.ai"
    project: str = "dfgui"
    offline: bool = False


@dataclass(frozen=True)
class DeepFabric:
    """Where the events of a training are sent. Without a key and a pipeline they wait in the store."""

    key: str | None = field(default=None, repr=False)
    url: str = "https://api.deepfabric.cloud"
    pipeline_id: str | None = None

    @property
    def missing(self) -> str:
        """What sending wants and has not: "key", "pipeline id", "key and no pipeline id"; "" when it has both."""
        wanted = (("key", self.key), ("pipeline id", self.pipeline_id))
        return " and no ".join(name for name, value in wanted if not value)


@dataclass(frozen=True)
class Settings:
    home: Path
    allowed: tuple[Path, ...] = ()  # folders besides the home that pages may read
    closed: tuple[Path, ...] = ()  # files and folders in them that pages may not: the logins
    jailed: bool = True  # False on the command line
    allowed_callbacks: tuple[str, ...] = ()  # "pkg.module:Class", or "pkg.module" for all of its classes
    callbacks_folder: bool = False  # whether pages may name what lies in `callbacks`
    offline: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    hosts: tuple[str, ...] = ()  # host names answered besides loopback
    space_id: str | None = None  # "owner/name" inside a Hugging Face Space
    oauth: OAuth | None = None  # signing in with Hugging Face, where a Space has `hf_oauth: true`
    members: tuple[str, ...] = ()  # Hugging Face names that may sign in: the Space's owner and DFGUI_MEMBERS
    contained: bool = False  # in a container, which ends with this process: nothing in it outlives the app
    volume: Path | None = None  # a mounted folder that survives a restart, but is no place for SQLite
    llama_cpp: Path | None = None  # a checkout of llama.cpp, whose converter writes GGUF files
    hub_url: str = "https://huggingface.co"
    hub_token: str | None = field(default=None, repr=False)  # None: the one that `hf auth login` has kept, if any
    wandb: Wandb = Wandb()
    deepfabric: DeepFabric = DeepFabric()

    @property
    def store_path(self) -> Path:
        return self.home / "dfgui.db"

    @property
    def runs(self) -> Path:
        return self.home / "runs"

    @property
    def uploads(self) -> Path:
        return self.home / "uploads"

    @property
    def exports(self) -> Path:
        return self.home / "exports"

    @property
    def callbacks(self) -> Path:
        return self.home / "callbacks"

    def run_folder(self, run_id: str) -> Path:
        return self.runs / run_id

    def with_secrets(self, given: Mapping[str, str]) -> "Settings":
        """These settings with what a visitor has given, by the names of the environment: {"HF_TOKEN": "..."}.

        A key that the environment holds is not sent to an endpoint that a visitor names: it is not theirs.
        """
        own = given.get("DEEPFABRIC_API_URL")
        key = given.get("DEEPFABRIC_API_KEY") or (None if own else self.deepfabric.key)
        pipeline = given.get("DEEPFABRIC_PIPELINE_ID") or self.deepfabric.pipeline_id
        return replace(
            self,
            hub_token=given.get("HF_TOKEN") or self.hub_token,
            wandb=replace(self.wandb, key=given.get("WANDB_API_KEY") or self.wandb.key),
            deepfabric=DeepFabric(key, own or self.deepfabric.url, pipeline),
        )

    def may_read(self, path: str | Path) -> Path:
        """The resolved path, if this visitor may read it. Raises UserError otherwise, or when it is not there."""
        try:
            resolved = Path(path).expanduser().resolve()
            there = resolved.exists()
        except (OSError, ValueError, RuntimeError) as error:  # a name too long, a NUL in it, a user unknown to ~
            raise UserError("That is not a path.", f"{str(error)[:200]}.", "Check the spelling.") from error
        if self.jailed and not self._is_open(resolved):
            raise UserError(
                f"{path} is outside the folders this page may read.",
                "Only the dfgui home and folders that the owner allowed are open to the browser.",
                "Upload the file, or start dfgui with --allow-folder and its folder.",
            )
        if not there:
            raise UserError(
                f"{path} does not exist.", "There is no file or folder of that name.", "Check the spelling."
            )
        return resolved

    def _is_open(self, resolved: Path) -> bool:
        """Whether pages may read there. What Gradio takes in is not theirs until it lies among the uploads."""
        opened, closed = (self.home, *self.allowed), (self.home / "cache", *self.closed)
        return any(resolved.is_relative_to(folder.resolve()) for folder in opened) and not any(
            resolved.is_relative_to(path.resolve()) for path in closed
        )

    def may_run(self, use: str) -> None:
        """Raises UserError unless this visitor may name this callback: "pkg.module:Class" or "file.py:Class"."""
        module = use.partition(":")[0]
        in_folder = module.endswith(".py")
        allowed = self.callbacks_folder if in_folder else {use, module} & set(self.allowed_callbacks)
        if self.jailed and not allowed:
            flag = "--allow-callbacks-folder" if in_folder else f"--allow-callback {use}"
            raise UserError(
                f"{use} is not allowed here.",
                "A page may name only the code that the owner allowed when dfgui was started.",
                f"Leave it out, or start dfgui with {flag}.",
                field="callbacks",
            )


def existing(path: str) -> Path | None:
    """The resolved path if it leads to something that is there; what cannot be a path leads nowhere."""
    try:
        resolved = Path(path).expanduser().resolve()
        return resolved if resolved.exists() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, a user unknown to ~
        return None


def load(home: str | Path | None = None, **changes) -> Settings:
    """Settings from the environment, `changes` on top. Creates the home's folders; raises UserError if it cannot."""
    env = os.environ
    callbacks = _names(env.get("DFGUI_ALLOWED_CALLBACKS"))
    in_space = env.get("SYSTEM") == "spaces" and bool(env.get("SPACE_ID"))
    settings = Settings(
        home=Path(home or env.get("DFGUI_HOME") or "~/.dfgui").expanduser().resolve(),
        allowed=tuple(Path(p).expanduser() for p in env.get("DFGUI_ALLOWED_FOLDERS", "").split(os.pathsep) if p),
        allowed_callbacks=tuple(name for name in callbacks if name != CALLBACKS_FOLDER),
        callbacks_folder=CALLBACKS_FOLDER in callbacks,
        offline=env.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"),
        username=env.get("DFGUI_USERNAME") or None,
        password=env.get("DFGUI_PASSWORD") or None,
        hosts=_names(env.get("DFGUI_ALLOWED_HOSTS")) + (_names(env.get("SPACE_HOST")) if in_space else ()),
        space_id=env["SPACE_ID"] if in_space else None,
        oauth=_oauth() if in_space else None,
        members=_members() if in_space else (),
        contained=in_space or env.get("DFGUI_CONTAINER", "") not in ("", "0"),
        volume=Path(env["DFGUI_VOLUME"]) if env.get("DFGUI_VOLUME") else None,
        llama_cpp=Path(env["DFGUI_LLAMA_CPP"]).expanduser().resolve() if env.get("DFGUI_LLAMA_CPP") else None,
        hub_url=(env.get("HF_ENDPOINT") or Settings.hub_url).rstrip("/"),
        hub_token=env.get("HF_TOKEN") or None,
        wandb=_wandb(),
        deepfabric=_deepfabric(),
    )
    settings = replace(settings, **changes)
    make_folders(settings)
    return settings


def _names(listed: str | None) -> tuple[str, ...]:
    """The names in "a, b"."""
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())


def _oauth() -> OAuth | None:
    env = os.environ
    if not env.get("OAUTH_CLIENT_ID") or not env.get("OAUTH_CLIENT_SECRET"):
        return None
    provider = env.get("OPENID_PROVIDER_URL") or OAuth.provider
    return OAuth(env["OAUTH_CLIENT_ID"], env["OAUTH_CLIENT_SECRET"], provider.rstrip("/"))


def _wandb() -> Wandb:
    env = os.environ
    return Wandb(
        key=env.get("WANDB_API_KEY") or None,
        url=(env.get("WANDB_BASE_URL") or Wandb.url).rstrip("/"),
        project=env.get("WANDB_PROJECT") or Wandb.project,
        offline=env.get("WANDB_MODE") in ("offline", "dryrun", "disabled"),
    )


def _deepfabric() -> DeepFabric:
    env = os.environ
    return DeepFabric(
        key=env.get("DEEPFABRIC_API_KEY") or None,
        url=(env.get("DEEPFABRIC_API_URL") or DeepFabric.url).rstrip("/"),
        pipeline_id=env.get("DEEPFABRIC_PIPELINE_ID") or None,
    )


def _members() -> tuple[str, ...]:
    owner = os.environ.get("SPACE_AUTHOR_NAME") or os.environ["SPACE_ID"].split("/")[0]
    return (owner, *_names(os.environ.get("DFGUI_MEMBERS")))


def make_folders(settings: Settings) -> None:
    try:
        for folder in (settings.home, settings.runs, settings.uploads, settings.exports):
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"The home folder {settings.home} cannot be used.",
            f"{error.strerror or error}.",
            "Choose another with --home or DFGUI_HOME.",
        ) from error


def environment(**more: str) -> dict[str, str]:
    """The environment of a process of ours: this one's, dfgui importable wherever it runs, and `more` on top."""
    paths = [str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}
