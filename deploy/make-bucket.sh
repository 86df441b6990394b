#!/bin/sh
# Runs in MinIO's client image (compose.yaml): makes the bucket, and a key that may use it and nothing else. Running it
# again changes nothing.
set -eu

attempts=0
until mc --quiet alias set local http://minio:9000 root "$(cat /run/secrets/minio-root-password)" > /dev/null; do
  attempts=$((attempts + 1))
  [ "$attempts" -lt 30 ] || { echo "MinIO does not answer."; exit 1; }
  sleep 1
done

mc --quiet mb --ignore-existing local/registry

cat > /tmp/policy.json << 'POLICY'
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": [ "s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads" ],
      "Resource": [ "arn:aws:s3:::registry" ]
    },
    {
      "Effect": "Allow",
      "Action": [
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"
      ],
      "Resource": [ "arn:aws:s3:::registry/*" ]
    }
  ]
}
POLICY
mc --quiet admin policy create local registry-bucket /tmp/policy.json
mc --quiet admin user add local registry "$(cat /run/secrets/s3-secret)"
# It fails when the user has the policy already.
mc --quiet admin policy attach local registry-bucket --user registry ||
  case $(mc --quiet admin user info local registry) in
    *registry-bucket*) ;;
    *) exit 1 ;;
  esac
