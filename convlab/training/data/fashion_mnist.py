"""Fashion-MNIST (Xiao et al., 2017, arXiv:1708.07747), and any folder of its four files, as of MNIST and KMNIST.

Of the 60,000 training pictures 5,000 are cut out for validation; the 10,000 test pictures stay as published.
"""

from __future__ import annotations

from pathlib import Path

from convlab.errors import ConvlabError, Problem
from convlab.progress import Work
from convlab.training.data import idx
from convlab.training.data.assembling import Origin, Pile, assembled, sha256_of, with_validation
from convlab.training.data.datasets import Dataset
from convlab.training.data.fetching import Remote, fetched_all
from convlab.training.data.pictures import damaged
from convlab.training.data.places import data_folder
from convlab.training.data.registry import layout, registered

NAME = "fashion_mnist"
CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
STEMS = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

CONTENT = (
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
)
"""SHA-256 of the four files without compression, as Debian's dataset-fashion-mnist 0.0~git20200523 holds them."""

HOSTS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
PUBLISHED = (
    ("md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    ("md5:25c81989df183df01b3e8a0aad5dffbe", 29_515),
    ("md5:bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    ("md5:bb300cfdad3c16e7a12a480ee83cd310", 5_148),
)
"""Checksum and bytes of the gzipped files as their authors publish them (README of zalandoresearch/fashion-mnist)."""

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
VALIDATION_SHARE = 12
"""One of so many training pictures is for validation."""


def folder() -> Path | None:
    """The folder with the four files: downloaded, by torchvision, or Debian's package; None where there is none."""
    places = (data_folder() / NAME, data_folder() / "FashionMNIST" / "raw", DEBIAN)
    return next((place for place in places if is_idx_folder(place)), None)


def get() -> Work[Path]:
    """Download the four files. Raises ConvlabError where they cannot be had or are not the published ones."""
    remotes = [
        Remote(tuple(f"{host}{stem}.gz" for host in HOSTS), f"{stem}.gz", checksum, size)
        for stem, (checksum, size) in zip(STEMS, PUBLISHED, strict=True)
    ]
    return fetched_all(remotes, data_folder() / NAME)


def is_idx_folder(path: Path) -> bool:
    """Whether the four files are in the folder."""
    return all(idx.find(path, stem) for stem in STEMS)


@registered(
    NAME,
    "clothes: 70,000 grey pictures of 28 x 28 px, 10 classes",
    where=lambda: str(folder() or ""),
    licence="MIT",
    remedy="convlab data get fashion_mnist (30 MB), or apt install dataset-fashion-mnist",
    get=get,
)
def load(image_size: int = 0) -> Dataset:
    """Fashion-MNIST from where it is found. Raises ConvlabError where it is not as published."""
    place = folder()
    assert place is not None, "the registry looked whether it is here"
    arrays = _arrays(place)
    for stem, array, published in zip(STEMS, arrays, CONTENT, strict=True):
        if array.sha256 != published:
            help = f"take that folder away and run convlab data get {NAME}; to train on it as it is: --data {place}"
            message = f"{place / stem} is not the published file: its checksum differs"
            raise ConvlabError(Problem("damaged-data", message, help=help), exit_code=2)
    return _put_together(NAME, CLASSES, arrays, str(place), image_size)


@layout("the four IDX files of MNIST and its kin", is_idx_folder)
def load_folder(path: Path, image_size: int = 0) -> Dataset:
    """The set of a folder with the four files; the classes have names where the files are those of Fashion-MNIST."""
    arrays = _arrays(path)
    if tuple(array.sha256 for array in arrays) == CONTENT:
        return _put_together(NAME, CLASSES, arrays, str(path), image_size)
    count = max(int(array.values.max()) + 1 if array.values.numel() else 0 for array in arrays[1::2])
    return _put_together(path.resolve().name, tuple(map(str, range(count))), arrays, str(path), image_size)


def _arrays(place: Path) -> tuple[idx.Array, ...]:
    """The four arrays. Raises ConvlabError where pictures and labels do not belong together."""
    paths = [path for stem in STEMS if (path := idx.find(place, stem)) is not None]
    arrays = tuple(idx.read(path, 3 if "images" in path.name else 1) for path in paths)
    for images, labels, path in ((arrays[0], arrays[1], paths[1]), (arrays[2], arrays[3], paths[3])):
        if len(images.values) != len(labels.values):
            raise damaged(str(path), f"it has {len(labels.values):,} labels for {len(images.values):,} pictures")
        if not images.values.numel():
            raise damaged(str(path), "there are no pictures to its labels")
    if arrays[0].values.shape[1:] != arrays[2].values.shape[1:]:
        raise damaged(str(paths[2]), "its pictures are of another size than those for training")
    return arrays


def _put_together(
    name: str, classes: tuple[str, ...], arrays: tuple[idx.Array, ...], source: str, image_size: int
) -> Dataset:
    train = Pile(arrays[0].values[:, None], arrays[1].values.long())
    test = Pile(arrays[2].values[:, None], arrays[3].values.long())
    stay, validation = with_validation(name, train, max(len(train.labels) // VALIDATION_SHARE, 1))
    checksum = sha256_of(bytes.fromhex(array.sha256) for array in arrays)
    return assembled(Origin(name, source, checksum), classes, (stay, validation, test), image_size=image_size)
