//! AWS: accounts, buckets, facts and objects through the official SDK.
