"""What the tests share that hold camcl against Python packages. They are skipped, with a reason, where those packages are missing: in the
Python that runs them and in the one that the environment's CAMCL_PYTHON names."""
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

sys.dont_write_bytecode = True
SKIPPED = 77
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def need(*modules):
    """Goes on if this Python has all of them, else with CAMCL_PYTHON, else ends the test."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    other = os.environ.pop("CAMCL_PYTHON", "")
    if not missing:
        return
    if other:
        sys.stdout.flush()
        os.execv(other, [other] + sys.argv)
    print(f"skipped: {sys.executable} has no {', '.join(missing)} (pip install them, or name another Python in CAMCL_PYTHON)")
    sys.exit(SKIPPED)


class Scratch:
    """A folder that is the working directory, with caches of its own, until the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="camcl-test-")
        os.environ["XDG_CACHE_HOME"] = self.path + "/cache"
        os.environ["POCL_CACHE_DIR"] = self.path + "/pocl"
        self.before = os.getcwd()
        os.chdir(self.path)
        return self

    def __exit__(self, *_):
        os.chdir(self.before)
        shutil.rmtree(self.path, ignore_errors=True)


def run(*command, status=0, **keywords):
    """Runs a command that must end with this status; returns what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, **keywords)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}, not {status}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(ok, what):
    if not ok:
        sys.exit(f"FAILED: {what}")


def write_png(path, pixels):
    """pixels: a NumPy array [H,W,3] of bytes."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def read_header(data):
    """The JSON header of a safetensors file, and where its tensors begin."""
    end = 8 + struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:end]), end


def with_metadata(source, target, **more):
    """A copy of a safetensors file whose metadata have `more`."""
    data = open(source, "rb").read()
    header, end = read_header(data)
    header.setdefault("__metadata__", {}).update(more)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(target, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data[end:])
