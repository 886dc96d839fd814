"""Would BatchImportFindings take the findings on standard input (JSON Lines)?

The service's own model says which fields there are and which must be; limits that stand only in its guide are in LIMITS.
Prints what is wrong; the last line counts the findings.
"""

import json
import re
import sys

import botocore.session
from botocore.validate import ParamValidator

# AWS Security Hub User Guide, "Required attributes" and "Optional top-level attributes" of ASFF, in characters.
LIMITS = {"Id": 512, "Title": 256, "Description": 1024, "GeneratorId": 512, "ProductArn": 2048}
BYTES_MAX = 240 * 1024
TIMES = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt")

model = botocore.session.get_session().get_service_model("securityhub")
shape = model.operation_model("BatchImportFindings").input_shape
count, errors = 0, []


def unknown(value, shape, path):
    """Fields that the model does not know; the validator passes them over."""
    if shape.type_name == "structure":
        for name, member in value.items():
            if name not in shape.members:
                yield f"{path}/{name} is unknown"
            else:
                yield from unknown(member, shape.members[name], f"{path}/{name}")
    elif shape.type_name == "list":
        for place, member in enumerate(value):
            yield from unknown(member, shape.member, f"{path}/{place}")
    elif shape.type_name == "map":
        for name, member in value.items():
            yield from unknown(member, shape.value, f"{path}/{name}")
    elif shape.type_name == "string":
        if not re.fullmatch(r"(?s).*\S.*", value):
            yield f"{path} is empty"
        if shape.enum and value not in shape.enum:
            yield f"{path} is none of {shape.enum}"


for line in sys.stdin:
    finding = json.loads(line)
    request = {"Findings": [finding]}
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        errors.append(report.generate_report())
        continue
    errors.extend(unknown(request, shape, ""))
    errors.extend(f"{name} is too long" for name, most in LIMITS.items() if len(finding.get(name, "")) > most)
    errors.extend(f"{name} must not be sent" for name in ("Workflow", "Note", "Severity", "Types") if name in finding)
    if len(line.encode()) > BYTES_MAX:
        errors.append("larger than 240 KB")
    for name in TIMES:
        if name in finding and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", finding[name]):
            errors.append(f"{name} is no time: {finding[name]}")
    if len(finding["Remediation"]["Recommendation"]["Text"]) > 512:
        errors.append("Remediation is too long")
    for fields, most in [(finding["ProductFields"], 2048)] + [(r.get("Tags", {}), 256) for r in finding["Resources"]]:
        if len(fields) > 50 or any(len(name) > 128 or len(value) > most for name, value in fields.items()):
            errors.append("a map is too large")
    count += 1
print("\n".join(errors))
print(json.dumps(count))
sys.exit(bool(errors))
