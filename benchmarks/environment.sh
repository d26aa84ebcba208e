# What the scripts share that make an environment of other libraries with Zoo in it; each sources this after it has said
# `checkout`, `folder` and `needed_gb`, and ends with `finish`. FOLDER/ready appears when everything imports.
python=${PYTHON:-python3.11}

if [ ! -x "$folder/bin/python" ]; then
    free_gb=$(($(df --output=avail -k "$(dirname "$folder")" | tail -1) / 1000000))
    if [ "$free_gb" -lt "$needed_gb" ]; then
        echo "this needs $needed_gb GB free for $folder, there are $free_gb; name another: $0 CHECKOUT FOLDER" >&2
        exit 7
    fi
    "$python" -m venv "$folder"
fi
rm -f "$folder/ready"

editable=()
for plugin in "$checkout"/plugins/*/pyproject.toml; do
    editable+=(-e "$(dirname "$plugin")")
done

install() {
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir "$@"
}

# finish MODULES DISTRIBUTIONS: import the modules, and write which versions of the distributions are there
finish() {
    "$folder/bin/python" - "$1" "$2" >"$folder/ready.part" <<'PYTHON'
import importlib.metadata
import sys

for module in sys.argv[1].split():
    importlib.import_module(module)
for name in sys.argv[2].split():
    try:
        print(name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        print(name, "absent")
PYTHON
    mv "$folder/ready.part" "$folder/ready"
    cat "$folder/ready"
}
