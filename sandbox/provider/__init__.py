"""A stand-in for the official ``aws`` resource plugin.

It serves Pulumi's ``ResourceProvider`` and carries resources out with botocore against the
sandbox's emulator. What a type means is a row of a table (``sandbox.provider.table``); what a
type's properties are is read from the installed ``pulumi_aws``; what a call takes is botocore's
own model. So a parameter that AWS does not know fails here as well.
"""
