internal import GRDB

/// The ledger's tables. All of the service's design stand here at once, also those whose rooms move in later, so that
/// a later version only adds rows.
enum LedgerSchema {
    static let version = 1

    static let tables = """
        CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

        CREATE TABLE "drop"(
            id TEXT PRIMARY KEY, first_seen INTEGER NOT NULL, claimed_at INTEGER, origin TEXT NOT NULL, kind TEXT NOT NULL,
            files INTEGER NOT NULL, bytes INTEGER NOT NULL, fingerprint TEXT, digest TEXT, state TEXT NOT NULL, reason TEXT
        ) STRICT;

        CREATE TABLE job(
            id TEXT PRIMARY KEY, drop_id TEXT NOT NULL UNIQUE REFERENCES "drop"(id), priority INTEGER NOT NULL DEFAULT 0,
            state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER, epoch INTEGER NOT NULL,
            reason_class TEXT, reason_code TEXT, superseded_by TEXT REFERENCES job(id), created_at INTEGER NOT NULL,
            changed_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX job_state ON job(state, created_at);

        CREATE TABLE attempt(
            job_id TEXT NOT NULL REFERENCES job(id), n INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, host TEXT,
            pid INTEGER, exit INTEGER, signal INTEGER, wall_s REAL, cpu_s REAL, max_rss INTEGER, outcome TEXT, PRIMARY KEY(job_id, n)
        ) STRICT;

        CREATE TABLE study(
            id INTEGER PRIMARY KEY, uid_hash TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT,
            job_id TEXT NOT NULL REFERENCES job(id), files INTEGER NOT NULL, bytes INTEGER, incomplete INTEGER NOT NULL DEFAULT 0,
            supersedes INTEGER REFERENCES study(id), UNIQUE(uid_hash, version)
        ) STRICT;

        CREATE TABLE result(
            key TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES job(id), study_id INTEGER NOT NULL REFERENCES study(id),
            path TEXT NOT NULL UNIQUE, report_sha256 TEXT, bytes INTEGER NOT NULL, isa TEXT, published_at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE object(
            uid TEXT PRIMARY KEY, result_key TEXT NOT NULL REFERENCES result(key), pipeline TEXT NOT NULL, role TEXT NOT NULL,
            sop_class TEXT NOT NULL, sha256 TEXT NOT NULL
        ) STRICT;

        CREATE TABLE delivery(
            object_uid TEXT NOT NULL REFERENCES object(uid), destination TEXT NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0, not_before INTEGER, status TEXT, sent_at INTEGER, confirmed_at INTEGER,
            PRIMARY KEY(object_uid, destination)
        ) STRICT;

        CREATE TABLE event(
            id INTEGER PRIMARY KEY, at INTEGER NOT NULL, job_id TEXT, drop_id TEXT, from_state TEXT, to_state TEXT, code TEXT, detail TEXT
        ) STRICT;
        CREATE INDEX event_job ON event(job_id, id);

        CREATE TABLE batch(id TEXT PRIMARY KEY, kind TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, counts TEXT) STRICT;

        CREATE TABLE review(
            result_key TEXT NOT NULL REFERENCES result(key), at INTEGER NOT NULL, verdict TEXT NOT NULL, by_hash TEXT, corrected_sha256 TEXT
        ) STRICT;
        """

    /// Makes the tables in an empty file; in an older one nothing, as there is only one version so far.
    static func install(_ db: Database, path: String) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard found <= version else { throw DaemonFailure.ledgerNewer(path: path, schema: found, known: version) }
        guard found == 0 else { return }
        try db.execute(sql: tables)
        try db.execute(sql: "PRAGMA user_version = \(version)")
        try db.execute(sql: "INSERT INTO meta VALUES ('install_id', ?), ('epoch', '0')", arguments: [Identifier.make()])
    }
}
