"""Are events on standard input (JSON Lines) as the OCSF schema of the version that they state says?

Unknown attributes are errors: the schemas are closed. Prints what is wrong; the last line counts the events by class.
"""

import collections
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

validators = {}
counts = collections.Counter()
wrong = False
for line in sys.stdin:
    event = json.loads(line)
    profiles = tuple(event["metadata"].get("profiles", []))
    name = (event["metadata"]["version"], event["class_uid"], profiles)
    if name not in validators:
        schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(name[0]))
        schema = schema.get_class_schema(schema.lookup_class_name_from_uid(name[1]), list(profiles))
        validators[name] = jsonschema.Draft202012Validator(schema)
    for error in validators[name].iter_errors(event):
        wrong = True
        print(f"{name[1]} {'/'.join(map(str, error.absolute_path))}: {error.message[:400]}")
    counts[name[1]] += 1
print(json.dumps(counts))
sys.exit(wrong)
