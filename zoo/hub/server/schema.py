"""The tables of a Hub's database."""

import re

VERSION = 4
_SCHEMA = """
CREATE TABLE repos (
    id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
    author TEXT NOT NULL COLLATE NOCASE, private INTEGER NOT NULL, gated TEXT NOT NULL DEFAULT '',
    created TEXT NOT NULL, modified TEXT NOT NULL, downloads INTEGER NOT NULL DEFAULT 0, head TEXT NOT NULL,
    summary BLOB NOT NULL, epoch INTEGER NOT NULL DEFAULT 0, UNIQUE (type, name));
CREATE INDEX repos_by_modified ON repos (type, modified, id);
CREATE INDEX repos_by_created ON repos (type, created, id);
CREATE INDEX repos_by_downloads ON repos (type, downloads, id);
CREATE INDEX repos_by_author ON repos (type, author, modified, id);
CREATE VIRTUAL TABLE names USING fts5 (name, tokenize='trigram');
CREATE TABLE tags (
    tag TEXT NOT NULL, repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, PRIMARY KEY (tag, repo)) WITHOUT ROWID;
CREATE INDEX tags_by_repo ON tags (repo);
CREATE TABLE commits (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, oid TEXT NOT NULL, parent TEXT, tree TEXT NOT NULL,
    author TEXT NOT NULL, title TEXT NOT NULL, message TEXT NOT NULL, date TEXT NOT NULL, request TEXT NOT NULL,
    PRIMARY KEY (repo, oid)) WITHOUT ROWID;
CREATE INDEX commits_by_request ON commits (repo, request);
CREATE TABLE refs (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, name TEXT NOT NULL, oid TEXT NOT NULL,
    PRIMARY KEY (repo, name)) WITHOUT ROWID;
CREATE TABLE trees (oid TEXT PRIMARY KEY, entries BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE blobs (sha256 TEXT PRIMARY KEY, size INTEGER NOT NULL, added REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE uploads (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, sha256 TEXT NOT NULL REFERENCES blobs,
    time REAL NOT NULL, PRIMARY KEY (repo, sha256)) WITHOUT ROWID;
CREATE INDEX uploads_by_blob ON uploads (sha256, time);
CREATE TABLE users (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE, owner INTEGER NOT NULL,
    created TEXT NOT NULL);
CREATE TABLE namespaces (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, namespace TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (user, namespace)) WITHOUT ROWID;
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, label TEXT NOT NULL,
    role TEXT NOT NULL, created TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX tokens_by_user ON tokens (user);
CREATE TABLE grants (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    time TEXT NOT NULL, PRIMARY KEY (repo, user)) WITHOUT ROWID;
CREATE TABLE xorbs (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, hash TEXT NOT NULL, file TEXT, lengths BLOB NOT NULL,
    time REAL NOT NULL, PRIMARY KEY (user, hash)) WITHOUT ROWID;
CREATE TABLE placements (
    user INTEGER NOT NULL, hash TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs ON DELETE CASCADE, offset INTEGER NOT NULL,
    PRIMARY KEY (user, hash, first, last), FOREIGN KEY (user, hash) REFERENCES xorbs ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX placements_by_blob ON placements (sha256);
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE upstreams (repo INTEGER PRIMARY KEY REFERENCES repos ON DELETE CASCADE, url TEXT NOT NULL);
CREATE TABLE documents (
    repo INTEGER NOT NULL REFERENCES repos ON DELETE CASCADE, name TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (repo, name)) WITHOUT ROWID;
CREATE TABLE regular (oid TEXT PRIMARY KEY, sha256 TEXT NOT NULL REFERENCES blobs ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX regular_by_blob ON regular (sha256);
CREATE TABLE fetched (sha256 TEXT PRIMARY KEY REFERENCES blobs ON DELETE CASCADE, used REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX fetched_by_use ON fetched (used);
CREATE TABLE token_times (
    hash TEXT PRIMARY KEY REFERENCES tokens ON DELETE CASCADE, expires REAL, used REAL) WITHOUT ROWID;
CREATE TABLE readers (
    user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, namespace TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (user, namespace)) WITHOUT ROWID;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time TEXT NOT NULL, user TEXT NOT NULL, token TEXT NOT NULL,
    client TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, chain TEXT NOT NULL);
"""
ADDED = ("upstreams", "documents", "regular", "fetched", "token_times", "readers", "audit")
"""The tables that layout 3 does not have."""
STATEMENTS = _SCHEMA.strip().removesuffix(";").split(";\n")
TABLES = set(re.findall(r"CREATE (?:VIRTUAL )?TABLE (\w+)", _SCHEMA))
