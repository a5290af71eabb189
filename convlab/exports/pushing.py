"""Uploading a folder to the Hugging Face hub, on request only."""

from __future__ import annotations

from pathlib import Path

from convlab.errors import ConvlabError, Problem, quote


def refuse_push(repository: str) -> None:
    """Raise ConvlabError where an upload cannot work: a name that the hub does not take, offline, logged out."""
    from huggingface_hub import get_token
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # public, though not by __all__

    try:
        validate_repo_id(repository)
    except HFValidationError:
        raise _no_repository(repository) from None
    if repository.count("/") != 1:
        raise _no_repository(repository)
    if is_offline_mode():
        raise _not_pushed("huggingface_hub is in offline mode", "unset HF_HUB_OFFLINE")
    if get_token() is None:
        raise _not_pushed("you are not logged in to the Hugging Face hub", "hf auth login, or a token in HF_TOKEN")


def push_folder(folder: Path, repository: str) -> None:
    """Upload a folder to a model repository, which is made where it is not there. Raises ConvlabError where the hub refuses it."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # that of the HTTP client it uses

    api = HfApi(library_name="convlab")
    try:
        api.create_repo(repository, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Upload a convlab design")
    except (HTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        help = f"the folder is written; hf upload {repository} {folder} tries again"
        raise _not_pushed(f"uploading to {quote(repository)} failed: {reason}", help) from None


def _no_repository(repository: str) -> ConvlabError:
    message = f"{quote(repository)} is no repository of the hub"
    return ConvlabError(Problem("usage", message, help="USER/NAME, of letters, digits, '-', '_' and '.'"), exit_code=2)


def _not_pushed(message: str, help: str) -> ConvlabError:
    return ConvlabError(Problem("not-pushed", message, help=help), exit_code=3)
