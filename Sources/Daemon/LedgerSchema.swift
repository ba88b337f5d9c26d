internal import GRDB

/// The ledger's tables, in steps that were released one after the other. A step that was released is never changed.
enum LedgerSchema {
    /// Also SQLite's `user_version`: programs from before the migrator look at it alone.
    static let version = 5

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 drops, jobs, attempts, results") { db in
            // A ledger of the first version has these tables and no record of migrations.
            guard try Int.fetchOne(db, sql: "PRAGMA user_version") == 0 else { return }
            try db.execute(sql: first)
            try db.execute(
                sql: "INSERT INTO meta VALUES ('install_id', ?), ('epoch', '0')", arguments: [Identifier.make()])
        }
        migrator.registerMigration("2 findings, completeness, superseding in columns") { db in
            try db.execute(sql: second)
            try db.execute(sql: "PRAGMA user_version = 2")
        }
        migrator.registerMigration("3 lost attempts, studies of jobs, deliveries") { db in
            try db.execute(sql: third)
            try db.execute(sql: "PRAGMA user_version = 3")
        }
        migrator.registerMigration("4 order of results, images of jobs, remarks") { db in
            try db.execute(sql: fourth)
            try db.execute(sql: "PRAGMA user_version = 4")
        }
        migrator.registerMigration("5 attempts on a cluster") { db in
            try db.execute(sql: fifth)
            try db.execute(sql: "PRAGMA user_version = 5")
        }
        return migrator
    }

    /// *Throws* `DaemonFailure.ledgerNewer` when a later program has changed the tables.
    static func checkVersion(_ db: Database, path: String) throws {
        let found = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard found <= version, try !migrator.hasBeenSuperseded(db) else {
            throw DaemonFailure.ledgerNewer(path: path, schema: max(found, version + 1), known: version)
        }
    }

    /// Whether the file holds no table at all, as one of 0 bytes.
    static func isBlank(_ db: Database) throws -> Bool {
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
    }

    /// What is wrong with a file of another program's tables.
    static let strangers = "its tables are not a ledger's"

    /// Whether the file holds a ledger's tables.
    static func isOwn(_ db: Database) throws -> Bool {
        // Other programs have a table of this name too.
        let columns = try db.tableExists("meta") ? Set(db.columns(in: "meta").map(\.name)) : []
        return try columns.isSuperset(of: ["key", "value"])
            && Bool.fetchOne(db, sql: "SELECT EXISTS(SELECT 1 FROM meta WHERE key = 'install_id')") ?? false
    }

    /// *Throws* `DaemonFailure.ledgerUnusable` when the tables are somebody else's.
    static func checkOwn(_ db: Database, path: String) throws {
        guard try isBlank(db) || isOwn(db) else {
            throw DaemonFailure.ledgerUnusable(path: path, problem: strangers)
        }
    }

    /// *Throws* `DaemonFailure.ledgerUnusable` when the file holds no tables of ours, `DaemonFailure.ledgerOlder` when the tables are not these yet.
    static func checkCurrent(_ db: Database, path: String) throws {
        try checkOwn(db, path: path)
        try checkVersion(db, path: path)
        guard try !isBlank(db) else {
            throw DaemonFailure.ledgerUnusable(path: path, problem: "it is empty: what it held is lost")
        }
        guard try Int.fetchOne(db, sql: "PRAGMA user_version") == version else {
            throw DaemonFailure.ledgerOlder(path: path)
        }
    }

    private static let first = """
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

    /// What is asked of the ledger stands in columns with an index each; tables that nothing used are gone.
    ///
    /// `job_count` is kept by triggers: counting the jobs of years for each page would take longer every year.
    private static let second = """
        DROP TABLE review;
        DROP TABLE delivery;
        DROP TABLE object;

        CREATE TABLE new_result(
            key TEXT PRIMARY KEY, job_id TEXT NOT NULL REFERENCES job(id), study TEXT NOT NULL, path TEXT NOT NULL UNIQUE,
            complete INTEGER NOT NULL, files INTEGER NOT NULL, bytes INTEGER NOT NULL, findings TEXT NOT NULL,
            published_at INTEGER NOT NULL, superseded_by TEXT REFERENCES result(key), whole INTEGER NOT NULL DEFAULT 1
        ) STRICT;
        INSERT INTO new_result
            SELECT result.key, result.job_id, study.uid_hash, path, job.reason_class IS NOT 'partial', study.files, result.bytes,
                COALESCE((SELECT replace(substr(detail, 66), ' · ', char(10)) FROM event WHERE event.job_id = result.job_id
                    AND code = 'RESULT' AND substr(detail, 1, 64) = result.key LIMIT 1), ''), published_at, NULL, 1
            FROM result JOIN study ON study.id = study_id JOIN job ON job.id = result.job_id;
        DROP TABLE result;
        DROP TABLE study;
        ALTER TABLE new_result RENAME TO result;
        CREATE INDEX result_job ON result(job_id);
        CREATE INDEX result_study ON result(study, published_at);
        CREATE INDEX result_published ON result(published_at);

        CREATE TABLE new_job(
            id TEXT PRIMARY KEY REFERENCES "drop"(id), state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            returns INTEGER NOT NULL DEFAULT 0, not_before INTEGER, epoch INTEGER NOT NULL, reason_class TEXT, reason_code TEXT,
            reason_text TEXT, created_at INTEGER NOT NULL, changed_at INTEGER NOT NULL
        ) STRICT;
        INSERT INTO new_job
            SELECT id, state, attempts, 0, not_before, epoch, reason_class, reason_code,
                (SELECT detail FROM event WHERE event.job_id = job.id AND code = reason_code ORDER BY event.id DESC LIMIT 1),
                created_at, changed_at
            FROM job;
        DROP TABLE job;
        ALTER TABLE new_job RENAME TO job;
        CREATE INDEX job_state ON job(state, created_at, id);
        CREATE INDEX job_ended ON job(changed_at, id) WHERE state IN ('published', 'done');
        CREATE INDEX job_partial ON job(changed_at) WHERE reason_class = 'partial';
        CREATE INDEX job_changed ON job(changed_at);

        CREATE TABLE job_count(state TEXT PRIMARY KEY, jobs INTEGER NOT NULL) STRICT;
        INSERT INTO job_count VALUES ('queued', 0), ('running', 0), ('retry', 0), ('publishing', 0), ('published', 0), ('done', 0),
            ('quarantined', 0);
        UPDATE job_count SET jobs = (SELECT COUNT(*) FROM job WHERE job.state = job_count.state);
        CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
            UPDATE job_count SET jobs = jobs + 1 WHERE state = new.state;
        END;
        CREATE TRIGGER job_moved AFTER UPDATE OF state ON job BEGIN
            UPDATE job_count SET jobs = jobs - 1 WHERE state = old.state;
            UPDATE job_count SET jobs = jobs + 1 WHERE state = new.state;
        END;

        CREATE INDEX attempt_open ON attempt(job_id) WHERE ended_at IS NULL;
        DROP INDEX event_job;
        ALTER TABLE event DROP COLUMN drop_id;
        CREATE INDEX event_job ON event(job_id, id);
        ALTER TABLE "drop" DROP COLUMN digest;
        ALTER TABLE "drop" DROP COLUMN reason;
        """

    /// `lost`: services that died in a row while the job ran. `held`: whether its result was held back for late images once.
    /// `joined`: jobs whose inputs are worked on together with its own, one a line.
    private static let third = """
        ALTER TABLE job ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE job ADD COLUMN joined TEXT NOT NULL DEFAULT '';
        INSERT INTO job_count VALUES ('cancelled', 0);

        CREATE TABLE job_study(
            job_id TEXT NOT NULL REFERENCES job(id), study TEXT NOT NULL, PRIMARY KEY(job_id, study)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX job_study_study ON job_study(study, job_id);
        INSERT OR IGNORE INTO job_study SELECT job_id, study FROM result;

        CREATE TABLE delivery(
            result_key TEXT NOT NULL REFERENCES result(key), file TEXT NOT NULL, destination TEXT NOT NULL, state TEXT NOT NULL,
            tries INTEGER NOT NULL DEFAULT 0, not_before INTEGER, code TEXT, sent_at INTEGER, created_at INTEGER NOT NULL,
            PRIMARY KEY(result_key, file, destination)
        ) STRICT;
        CREATE INDEX delivery_open ON delivery(destination, not_before) WHERE state = 'pending';
        CREATE INDEX delivery_state ON delivery(state) WHERE state NOT IN ('sent', 'confirmed');
        """

    /// `sequence`: the order in which results were published, whatever the clock did; a destination gets those after the one that
    /// was the last when it became known. `job_series`: which images each job of the last days holds, so that others of their series
    /// are worked on together with them. `remark_*`: what was known of a drop when it was taken, and is told with its result.
    private static let fourth = """
        ALTER TABLE result ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
        UPDATE result SET sequence = numbered.n
            FROM (SELECT key, ROW_NUMBER() OVER (ORDER BY published_at, key) AS n FROM result) AS numbered
            WHERE numbered.key = result.key;
        CREATE INDEX result_sequence ON result(sequence);
        UPDATE meta SET value = (SELECT COUNT(*) FROM result WHERE published_at < CAST(meta.value AS INTEGER))
            WHERE key LIKE 'destination %';

        CREATE TABLE job_series(
            job_id TEXT NOT NULL REFERENCES job(id), study TEXT NOT NULL, series TEXT NOT NULL, images BLOB NOT NULL,
            PRIMARY KEY(job_id, study, series)
        ) STRICT;
        CREATE INDEX job_series_series ON job_series(series, study);

        ALTER TABLE job ADD COLUMN remark_code TEXT;
        ALTER TABLE job ADD COLUMN remark_text TEXT;
        """

    /// Which task of which array makes an attempt on a cluster, and the fingerprint of the input that it is to work on.
    private static let fifth = """
        ALTER TABLE attempt ADD COLUMN array TEXT;
        ALTER TABLE attempt ADD COLUMN task INTEGER;
        ALTER TABLE attempt ADD COLUMN fingerprint TEXT;
        """
}
