"""Train the textbook's autoencoder and GAN in Keras, and let Zoo read the first: docs/tutorial/keras.md shows both.

    KERAS_BACKEND=torch /tmp/zoo-keras-oracle/bin/python plugins/keras/benchmarks/textbook.py FASHION_MNIST [EPOCHS]

FASHION_MNIST is the folder of the four idx files. It prints how far Zoo's pictures are from Keras's, and the losses.
"""

import gzip
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("KERAS_BACKEND", "torch")


def pictures(folder: Path, name: str) -> Any:
    path = next(folder.glob(f"**/{name}-images-idx3-ubyte*"))
    content = (gzip.open if path.suffix == ".gz" else open)(path, "rb").read()
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 784).astype("float32") / 255


def autoencoder(train: Any, epochs: int) -> Any:
    from keras.layers import Dense, Input
    from keras.models import Model

    image = Input(shape=(784,))
    code = Dense(64, activation="relu")(image)
    reconstruction = Dense(784, activation="sigmoid")(code)
    model = Model(image, reconstruction)
    model.compile(optimizer="adam", loss="binary_crossentropy")
    model.fit(train, train, epochs=epochs, batch_size=256, verbose=0)
    return model


def gan(train: Any, steps: int, batch_size: int = 64) -> tuple[float, float]:
    from keras.layers import Dense, Input, LeakyReLU
    from keras.models import Sequential
    from keras.optimizers import Adam

    generator = Sequential([Input((100,)), Dense(128, activation="relu"), Dense(784, activation="tanh")])
    discriminator = Sequential(
        [Input((784,)), Dense(128), LeakyReLU(negative_slope=0.2), Dense(1, activation="sigmoid")]
    )
    discriminator.compile(optimizer=Adam(2e-4, beta_1=0.5), loss="binary_crossentropy")
    frozen = Sequential([generator, discriminator])
    discriminator.trainable = False
    frozen.compile(optimizer=Adam(2e-4, beta_1=0.5), loss="binary_crossentropy")
    random = np.random.default_rng(0)
    ones, zeros = np.ones((batch_size, 1)), np.zeros((batch_size, 1))  # (batch, 1), the shape of what is compared
    seen = made = 0.0
    for _ in range(steps):
        real = train[random.integers(0, len(train), batch_size)] * 2 - 1
        fake = generator.predict(random.normal(size=(batch_size, 100)), verbose=0)
        discriminator.trainable = True
        seen = (discriminator.train_on_batch(real, ones) + discriminator.train_on_batch(fake, zeros)) / 2
        discriminator.trainable = False
        made = frozen.train_on_batch(random.normal(size=(batch_size, 100)), ones)
    return float(seen), float(made)


def main(folder: str, epochs: str = "1") -> None:
    import keras
    import torch

    import zoo

    keras.utils.set_random_seed(0)
    train, test = pictures(Path(folder), "train"), pictures(Path(folder), "t10k")
    model = autoencoder(train, int(epochs))
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "autoencoder.keras"
        model.save(path)
        ours, known = zoo.load(path), zoo.describe(path)
    theirs = model.predict(test, batch_size=1000, verbose=0)
    with torch.no_grad():
        found = ours.reconstruct(torch.from_numpy(test).reshape(-1, 1, 28, 28)).reshape(-1, 784).numpy()
    print(f"zoo.load: {known.architecture}, code_size={known.arguments['code_size']}")
    errors = [float(((pictures - test) ** 2).mean()) for pictures in (theirs, found)]
    print("mean squared error on {:,} test pictures: Keras {:.5f}, Zoo {:.5f}".format(len(test), *errors))
    print(f"largest difference of a pixel: {np.abs(found - theirs).max():.1e}")
    print("GAN, losses after 200 steps: discriminator {:.3f}, generator {:.3f}".format(*gan(train, 200)))


if __name__ == "__main__":
    main(*sys.argv[1:])
