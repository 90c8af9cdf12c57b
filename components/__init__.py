"""What is declared: one Pulumi ComponentResource a file, on real `pulumi_aws` resources."""
