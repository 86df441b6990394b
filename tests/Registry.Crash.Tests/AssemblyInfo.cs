// Each test measures or kills a server of its own: two at a time would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
