"""The policy pack: what must hold before anything is applied, on anybody's Pulumi AWS program.

    framework/   what rules are made of, and the server that Pulumi talks to
    rules/       the rules, one section of the checklists a file
    tiers/       the pack's config for each tier (`--policy-pack-config policies/tiers/dev.json`)
    catalogue.py all rules as data, without Pulumi
    testing.py   the test kit

A rule is one small function:

    @rule("key-rotated", section="storage", severity="medium", types=("aws:kms/key:Key",),
          lines=("001:160",), why="...", fix=Fix("", "aws.kms.Key(enable_key_rotation=True)"),
          reference="https://docs.aws.amazon.com/kms/...")
    def key_rotated(key: Resource) -> Findings:
        yield from expect(key, "enableKeyRotation", True, default=False)

It yields what is wrong, calls `skip(reason)` where it does not apply, and may read what preview
does not know: the framework makes *undecided* of that. A rule with `scope="stack"` also gets the
stack, and asks it what refers to what. A new file in rules/ is named in `catalogue.SECTIONS`.

With GONOGO_POLICY_REPORT=path in its environment the pack writes every verdict there as JSON.
"""
