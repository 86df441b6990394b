-- A repository takes its name by what is not about another manifest, however much there is that is.
CREATE INDEX manifests_without_subject ON manifests (repository_id) WHERE subject IS NULL;
