-- A store as version 1 wrote it, with a run that ended and one that did not.
CREATE TABLE convlab_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT convlab_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE stored_designs (
	sha TEXT NOT NULL,
	"key" TEXT NOT NULL,
	text TEXT NOT NULL,
	PRIMARY KEY (sha)
);
CREATE TABLE stored_environments (
	sha TEXT NOT NULL,
	facts {JSON} NOT NULL,
	PRIMARY KEY (sha)
);
CREATE TABLE stored_runs (
	id TEXT NOT NULL,
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	started {MOMENT} NOT NULL,
	finished {MOMENT},
	command TEXT NOT NULL,
	settings {JSON} NOT NULL,
	version TEXT NOT NULL,
	git_commit TEXT NOT NULL,
	dirty BOOLEAN NOT NULL,
	environment TEXT NOT NULL,
	note TEXT NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(environment) REFERENCES stored_environments (sha)
);
CREATE TABLE stored_rows (
	run TEXT NOT NULL,
	position INTEGER NOT NULL,
	kind TEXT NOT NULL,
	subject TEXT NOT NULL,
	design TEXT,
	task TEXT NOT NULL,
	device TEXT NOT NULL,
	dtype TEXT NOT NULL,
	layout TEXT NOT NULL,
	mode TEXT NOT NULL,
	batch INTEGER,
	image_height INTEGER,
	image_width INTEGER,
	threads INTEGER,
	n INTEGER,
	median {DOUBLE},
	low {DOUBLE},
	high {DOUBLE},
	unit TEXT NOT NULL,
	details {JSON} NOT NULL,
	written {MOMENT} NOT NULL,
	PRIMARY KEY (run, position),
	FOREIGN KEY(run) REFERENCES stored_runs (id) ON DELETE CASCADE,
	FOREIGN KEY(design) REFERENCES stored_designs (sha)
);
INSERT INTO convlab_version VALUES ('0001');
INSERT INTO stored_designs VALUES ('d1', 'a52cc4598a336ba3', 'depths = [1]');
INSERT INTO stored_environments VALUES ('e1', '{"cpu": "x"}');
INSERT INTO stored_runs VALUES
	('20260101-000000-aaaaaa', 'benchmark', 'first', 'complete', '2026-01-01 00:00:00.000000', '2026-01-01 00:01:00.000000', 'convlab bench',
	'{"seconds": 2}', '0.1.0', '', false, 'e1', ''),
	('20260102-000000-bbbbbb', 'benchmark', 'second', 'running', '2026-01-02 00:00:00.000000', NULL, 'convlab bench', '{}', '0.1.0',
	'8df0ca6940798f4b78509b8ff8afb5b7684f9a5c', true, 'e1', '');
INSERT INTO stored_rows VALUES
	('20260101-000000-aaaaaa', 0, 'step', 'convnext_t', 'd1', 'inference', 'cpu', 'float32', 'channels_last', 'eager', 32, 224, 224, 2, 20,
	0.5, 0.4, 0.6, 's', '{"samples": [0.5]}', '2026-01-01 00:00:30.000000'),
	('20260102-000000-bbbbbb', 0, 'step', 'timm:resnet50', NULL, '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '', '{}',
	'2026-01-02 00:00:30.000000');
