"""Holds rendered manifests against the schemas that Kubernetes publishes, strictly: an unknown field is
a mistake. Custom resources are held against their definitions, as strictly.

usage: check.py VERSION DEFINITIONS < MANIFESTS
"""

import functools
import pathlib
import sys

import jsonschema
import yaml
from kubernetes_validate import utils

# In YAML 1.1 a lone `=` has a type of its own; here it is a string.
yaml.SafeLoader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_yaml_str)

# Read once, not once for each manifest.
utils.schema_contents = functools.cache(utils.schema_contents)


def closed(schema):
    """A definition without room for unknown fields, where it does not ask for them."""
    if isinstance(schema, list):
        return [closed(it) for it in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    is_open = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if schema.get("type") == "object" and "properties" in schema and not is_open:
        inner["additionalProperties"] = False
    if str(schema.get("pattern", "")).startswith("^(?i)"):
        # Go has flags anywhere, Python only in front.
        inner["pattern"] = "(?i)^" + schema["pattern"].removeprefix("^(?i)")
    return inner


def definition(manifest, folder):
    """The schema of a custom resource, if it is one."""
    group, _, version = manifest["apiVersion"].rpartition("/")
    file = pathlib.Path(folder, f"{group}_{manifest['kind'].lower()}s.yaml")
    if not file.exists():
        return None
    versions = yaml.safe_load(file.read_text())["spec"]["versions"]
    return next(closed(it["schema"]["openAPIV3Schema"]) for it in versions if it["name"] == version)


def mistakes(manifest, version, folder):
    schema = definition(manifest, folder)
    try:
        if schema:
            jsonschema.Draft202012Validator(schema).validate(manifest)
        else:
            utils.validate(manifest, version, strict=True)
    except jsonschema.ValidationError as error:
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
    except utils.SchemaNotFoundError as error:
        yield error.message


def main(version, folder):
    if version not in map(utils.major_minor, utils.all_versions()):
        sys.exit(f"no schemas of Kubernetes {version}")
    manifests = [it for it in yaml.safe_load_all(sys.stdin) if it]
    found = [
        f"{it['kind']} {it['metadata']['name']}: {mistake}"
        for it in manifests
        for mistake in mistakes(it, version, folder)
    ]
    print(*found, f"{len(manifests)} manifests checked", sep="\n")
    sys.exit(bool(found))


main(*sys.argv[1:])
