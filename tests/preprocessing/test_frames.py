import numpy as np
import pytest
from datasets import Dataset

from gru_nlp.errors import UserError
from gru_nlp.preprocessing.frames import FramePreprocessor
from gru_nlp.preprocessing.rows import Hints

HEIGHT, WIDTH = 6, 5


def fitted(shift):
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (20, HEIGHT, WIDTH), dtype=np.uint8)
    columns = {"pixels": [image.ravel() for image in images], "width": [WIDTH] * 20, "label": list("ab" * 10)}
    preprocessor = FramePreprocessor(shift=shift)
    preprocessor.fit(Dataset.from_dict(columns), Hints())
    return preprocessor, images


def collated(preprocessor, images, training=True):
    return preprocessor.collate({"pixels": [image.ravel() for image in images]}, training=training).inputs


def test_pixels_are_centred_and_scaled_by_those_of_training():
    preprocessor, images = fitted(shift=0)
    frames = collated(preprocessor, images)
    assert frames.shape == (20, HEIGHT, WIDTH)
    assert frames.mean() == pytest.approx(0.0, abs=1e-6)
    assert frames.std() == pytest.approx(1.0, abs=1e-6)
    assert preprocessor.mean == pytest.approx(images.mean() / 255)


def test_images_move_by_at_most_the_shift_each_way_and_only_in_training():
    preprocessor, _ = fitted(shift=1)
    images = np.zeros((300, HEIGHT, WIDTH), np.uint8)
    images[:, 3, 2] = np.arange(300) % 200 + 56  # one bright pixel
    frames = collated(preprocessor, images)
    rows, columns = np.unravel_index(frames.reshape(300, -1).argmax(axis=1), (HEIGHT, WIDTH))
    places = {*zip(rows.tolist(), columns.tolist(), strict=True)}
    assert places == {(3 + down, 2 + right) for down in (-1, 0, 1) for right in (-1, 0, 1)}
    assert np.array_equal(frames, collated(preprocessor, images))  # the same moves for the same batch
    still = collated(preprocessor, images, training=False)
    assert (still.reshape(300, -1).argmax(axis=1) == 3 * WIDTH + 2).all()


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("hello", "not text"),
        ([[1, 2], [3]], "not rows of different lengths"),
        (np.zeros((2, 2), np.uint8), r"not uint8 of shape \(2, 2\)"),
        (np.zeros((HEIGHT, WIDTH)), r"not float64 of shape"),
        (np.full((HEIGHT, WIDTH), 256), "not values from 256 to 256"),
        (np.full((HEIGHT, WIDTH), -1), "not values from -1 to -1"),
    ],
)
def test_what_is_no_grey_image_is_told(image, told):
    with pytest.raises(UserError, match=told):
        fitted(shift=0)[0].cut([image])


def test_what_is_shown_to_ask_can_be_asked():
    preprocessor, _ = fitted(shift=0)
    assert len(preprocessor.cut([eval(preprocessor.asked())])[0]["pixels"]) == 1
