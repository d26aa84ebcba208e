"""Push, pull and serve 1 GB against plain file operations and nginx, in turn; the server's memory beside it.

    flock /tmp/zoo-bench.lock python benchmarks/hub_throughput.py [--bytes 1000000000] [--rounds 3] [--folder FOLDER]

The server is a process of its own, `zoo hub serve`. nginx is left out where it is not installed.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 1024 * 1024
SERVED = 9


def write_random(path: Path, size: int) -> None:
    """Write bytes that nothing can compress."""
    with open(path, "wb") as file:
        for start in range(0, size, CHUNK):
            file.write(os.urandom(min(CHUNK, size - start)))


def copy_hash_sync(source: Path, target: Path) -> None:
    """Copy a file, hash it while it goes, flush it: what a push cannot do without."""
    digest = hashlib.sha256()
    with open(source, "rb") as reading, open(target, "wb") as writing:
        while chunk := reading.read(CHUNK):
            digest.update(chunk)
            writing.write(chunk)
        writing.flush()
        os.fsync(writing.fileno())


def read_hash_write(source: Path, target: Path) -> None:
    """Copy a file and hash it while it goes: what a pull cannot do without."""
    digest = hashlib.sha256()
    with open(source, "rb") as reading, open(target, "wb") as writing:
        while chunk := reading.read(CHUNK):
            digest.update(chunk)
            writing.write(chunk)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    os.sync()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Server:
    """`zoo hub serve` on a free port."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        first = self.process.stdout.readline()
        self.url = first.split(" on ")[1].split(" ")[0]
        self.token = (folder / "token").read_text()

    def memory(self) -> float:
        """Return the resident memory now, in MB."""
        return self._status("VmRSS")

    def peak(self) -> float:
        """Return the peak of the resident memory since reset_peak, in MB."""
        return self._status("VmHWM")

    def cpu_seconds(self) -> float:
        """Return how long its processors have worked for it: what other programs on the machine do not change."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def reset_peak(self) -> None:
        """Begin to look for a peak again."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
        raise RuntimeError(name)

    def stop(self) -> None:
        """Stop it as Ctrl-C would."""
        self.process.terminate()
        self.process.wait()


def push_by_client(server: Server, file: Path, repo: str, xet: bool) -> None:
    """Push with the unmodified client, in a process of its own."""
    code = f"import sys; from huggingface_hub import HfApi; HfApi().create_repo('{repo}', exist_ok=True); " + (
        f"HfApi().upload_file(path_or_fileobj=sys.argv[1], path_in_repo='model.safetensors', repo_id='{repo}')"
    )
    environment = {
        **os.environ,
        "HF_ENDPOINT": server.url,
        "HF_TOKEN": server.token,
        "HF_HOME": str(file.parent / "hf"),
        "HF_HUB_DISABLE_XET": "0" if xet else "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
    }
    subprocess.run([sys.executable, "-c", code, file], env=environment, check=True)


def nginx(folder: Path, port: int) -> subprocess.Popen[bytes] | None:
    """Serve a folder with nginx; None where it is not installed."""
    if not shutil.which("nginx"):
        return None
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log /dev/null; worker_processes 1; events {{}} user root;"
        f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}"
    )
    return subprocess.Popen(["nginx", "-c", str(configuration)], stderr=subprocess.DEVNULL)


def fetch(url: str) -> None:
    """Fetch with curl and throw away."""
    subprocess.run(["curl", "-sf", "-o", "/dev/null", url], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bytes", type=int, default=1_000_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where to work; a fresh one under /tmp otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zoo-hub-bench-", dir=arguments.folder) as name:
        times, peaks = measure(Path(name), arguments.bytes, arguments.rounds)
    show(times, peaks, arguments.bytes, arguments.rounds)


def measure(folder: Path, size: int, rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return how long everything took, and the server's peaks of memory above idle; no rounds are of serving alone."""
    os.environ["HF_HOME"] = str(folder / "zoo-cache")
    server = Server(folder / "hub")
    os.environ |= {"HF_ENDPOINT": server.url, "HF_TOKEN": server.token}
    from zoo.hub.pull import pull_repo
    from zoo.hub.push import push_folder

    times: dict[str, list[float]] = {}

    def note(what: str, call: Callable[[], object]) -> None:
        times.setdefault(what, []).append(seconds(call))

    source = folder / "source"
    source.mkdir()
    file = source / "model.safetensors"
    write_random(file, size)
    fetch(f"{server.url}/")
    idle = server.memory()
    peaks = {}
    try:
        shutil.copyfile(file, folder / "copy")
        push_folder(source, "org/push-0", hub=server.url, message="push")
        for number in range(1, rounds + 1):
            with open(file, "r+b") as changed:  # every push is of new bytes
                changed.write(os.urandom(CHUNK))
            note("copy + sha256 + fsync", lambda: copy_hash_sync(file, folder / "copy"))
            server.reset_peak()
            note("zoo push", lambda: push_folder(source, f"org/push-{number}", hub=server.url, message="push"))  # noqa: B023
            peaks["LFS"] = max(peaks.get("LFS", 0), server.peak() - idle)
            note("read + sha256 + write", lambda: read_hash_write(file, folder / "copy"))
            note("zoo pull", lambda: pull_repo(f"org/push-{number}", hub=server.url))  # noqa: B023
            shutil.rmtree(folder / "zoo-cache", ignore_errors=True)
        api_open(server, "org/push-0")
        web = nginx(folder, 18_089)
        for _ in range(max(rounds, SERVED)):
            if web is not None:
                time.sleep(0.2)
                note("nginx to curl", lambda: fetch("http://127.0.0.1:18089/copy"))
            note("hub to curl", lambda: fetch(f"{server.url}/org/push-0/resolve/main/model.safetensors"))
        if web is not None:
            web.terminate()
            web.wait()
        if not rounds:
            return times, peaks
        with open(file, "r+b") as changed:
            changed.write(os.urandom(CHUNK))
        server.reset_peak()
        note("unmodified client, Xet", lambda: push_by_client(server, file, "org/xet", xet=True))
        peaks["Xet"] = server.peak() - idle
    finally:
        server.stop()
    return times, peaks


def show(times: dict[str, list[float]], peaks: dict[str, float], size: int, rounds: int) -> None:
    """Print medians and ratios."""
    print(f"{size:,} bytes, {rounds} rounds, median [all]")
    for what, found in times.items():
        listed = " ".join(f"{value:.2f}" for value in found)
        middle = statistics.median(found)
        print(f"  {what:24} {middle:6.2f} s  {size / middle / 1e6:6.0f} MB/s  [{listed}]")
    for ours, peer in (("zoo push", "copy + sha256 + fsync"), ("zoo pull", "read + sha256 + write")):
        if ours not in times:
            continue
        ratio = statistics.median(a / b for a, b in zip(times[ours], times[peer], strict=True))
        print(f"{ours} / ({peer}): {ratio:.2f}")
    if "nginx to curl" in times:
        pairs = zip(times["nginx to curl"], times["hub to curl"], strict=True)
        print(f"hub / nginx, in speed: {statistics.median(a / b for a, b in pairs):.2f}")
    if peaks:
        print("server memory above idle: " + ", ".join(f"{kind} {peak:.0f} MB" for kind, peak in peaks.items()))


def api_open(server: Server, repo: str) -> None:
    """Let everybody read a repo, so that curl needs no token."""
    from huggingface_hub import HfApi

    HfApi(endpoint=server.url, token=server.token).update_repo_settings(repo, private=False)


if __name__ == "__main__":
    main()
