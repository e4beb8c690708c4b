BEGIN TRANSACTION;
CREATE TABLE coefficients (
	result_id INTEGER NOT NULL, 
	"order" INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	l INTEGER NOT NULL, 
	phase_rad DOUBLE, 
	phase_rad_error DOUBLE, 
	free BOOLEAN NOT NULL, 
	PRIMARY KEY (result_id, "order", n, l), 
	FOREIGN KEY(result_id) REFERENCES results (id)
)
 WITHOUT ROWID

;
INSERT INTO "coefficients" VALUES(2,2,2,-2,2.2857142857142855874e+00,0.002,1);
INSERT INTO "coefficients" VALUES(2,2,2,0,2.30571428571428560516e+00,0.002,1);
INSERT INTO "coefficients" VALUES(2,2,2,2,2.32571428571428562293e+00,0.002,1);
INSERT INTO "coefficients" VALUES(2,3,2,-2,3.2857142857142855874e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,2,0,3.30571428571428560516e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,2,2,3.32571428571428562293e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,3,-3,3.41857142857142859426e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,3,-1,3.43857142857142861203e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,3,1,3.45857142857142862979e+00,0.003,1);
INSERT INTO "coefficients" VALUES(2,3,3,3,3.47857142857142864755e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,2,2,-2,2.27571428571428580056e+00,0.002,1);
INSERT INTO "coefficients" VALUES(3,2,2,0,2.29571428571428581832e+00,0.002,1);
INSERT INTO "coefficients" VALUES(3,2,2,2,2.31571428571428583609e+00,0.002,1);
INSERT INTO "coefficients" VALUES(3,3,2,-2,3.27571428571428580056e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,2,0,3.29571428571428581832e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,2,2,3.31571428571428583609e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,3,-3,3.40857142857142836334e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,3,-1,3.4285714285714283811e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,3,1,3.44857142857142839886e+00,0.003,1);
INSERT INTO "coefficients" VALUES(3,3,3,3,3.46857142857142841663e+00,0.003,1);
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	result_id INTEGER NOT NULL, 
	decision VARCHAR(6) NOT NULL, 
	who TEXT NOT NULL, 
	why TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	standing VARCHAR(6), 
	PRIMARY KEY (id), 
	FOREIGN KEY(result_id) REFERENCES results (id), 
	CONSTRAINT decision CHECK (decision IN ('accept', 'reject', 'look', 'undo')), 
	CONSTRAINT standing CHECK (standing IN ('accept', 'reject', 'look'))
);
INSERT INTO "decisions" VALUES(1,2,'reject','Anna','ice on the dish','2026-11-24 02:19:45.099391','reject');
CREATE TABLE flags (
	result_id INTEGER NOT NULL, 
	place INTEGER NOT NULL, 
	code TEXT NOT NULL, 
	level TEXT NOT NULL, 
	message TEXT NOT NULL, 
	PRIMARY KEY (result_id, place), 
	FOREIGN KEY(result_id) REFERENCES results (id)
)
 WITHOUT ROWID

;
INSERT INTO "flags" VALUES(2,0,'misfit','check','misfit: look at it');
INSERT INTO "flags" VALUES(3,0,'dz-undocumented','note','a note');
CREATE TABLE observation_files (
	observation_id INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	together INTEGER NOT NULL, 
	PRIMARY KEY (observation_id, sha256), 
	FOREIGN KEY(observation_id) REFERENCES observations (id)
)
 WITHOUT ROWID

;
INSERT INTO "observation_files" VALUES(1,'fe7f1034d4a63dde9192739732fb553a720788f422c5723ec7ca1c683280837e',1);
INSERT INTO "observation_files" VALUES(2,'fb42102e0aac5286c9f0ba0c59cb5b2997d45867ee74c04ec499b2f0c632d8a5',1);
INSERT INTO "observation_files" VALUES(3,'83bf7fcd913e81d35f0d0e94ed1ec0611e8e3b4909c23b00ef9f076f205e67c6',1);
CREATE TABLE observations (
	id INTEGER NOT NULL, 
	content_hash TEXT NOT NULL, 
	name TEXT NOT NULL, 
	files JSON NOT NULL, 
	telescope TEXT, 
	object_name TEXT, 
	date TEXT, 
	date_utc DATETIME, 
	wavelength_m DOUBLE, 
	elevation_rad DOUBLE, 
	maps INTEGER, 
	dz_m JSON, 
	newest_result_id INTEGER, 
	asked_in INTEGER NOT NULL, 
	superseded_by INTEGER, 
	PRIMARY KEY (id), 
	UNIQUE (content_hash), 
	FOREIGN KEY(asked_in) REFERENCES runs (id), 
	FOREIGN KEY(superseded_by) REFERENCES observations (id)
);
INSERT INTO "observations" VALUES(1,'9597d898814f165b7ed6118722c24271fec8c1254d46e437ad6ab24050763e2d','obs_002','["/archive/obs_002.fits"]','gbt','3C84','2024-06-01T22:00:00+00:00','2024-06-01 22:00:00.000000',0.0011,0.5246,3,'[-0.003, 0.0, 0.003]',2,1,NULL);
INSERT INTO "observations" VALUES(2,'b910ce7ef3d90e013867bae074fcccaed29ee9262a006ef5af04c06d9b6bc1eb','obs_003','["/archive/obs_003.fits"]',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1,NULL);
INSERT INTO "observations" VALUES(3,'d1988cd3019824f075f61677e1a6f54b16035868488e4051757dde53adeef80f','obs_001','["/archive/obs_001.fits"]','srt','3C273','2024-05-31T22:00:00+00:00','2024-05-31 22:00:00.000000',0.0011,4.37299999999999966515e-01,3,'[-0.003, 0.0, 0.003]',3,1,NULL);
CREATE TABLE orders (
	result_id INTEGER NOT NULL, 
	"order" INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	rms_um DOUBLE, 
	rms_um_error DOUBLE, 
	best_focus_m DOUBLE, 
	reduced_chi2 DOUBLE, 
	bic DOUBLE, 
	PRIMARY KEY (result_id, "order"), 
	FOREIGN KEY(result_id) REFERENCES results (id)
)
 WITHOUT ROWID

;
INSERT INTO "orders" VALUES(2,2,'converged',52.0,0.3,-0.0001,1.1,99.5);
INSERT INTO "orders" VALUES(2,3,'converged',53.0,0.3,-0.0001,1.1,99.5);
INSERT INTO "orders" VALUES(3,2,'converged',52.0,0.3,-0.0001,1.1,99.5);
INSERT INTO "orders" VALUES(3,3,'converged',53.0,0.3,-0.0001,1.1,99.5);
CREATE TABLE results (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	observation_id INTEGER NOT NULL, 
	run INTEGER NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	settings_digest TEXT NOT NULL, 
	status VARCHAR(7) NOT NULL, 
	verdict VARCHAR(6), 
	reason TEXT NOT NULL, 
	fault TEXT, 
	folder TEXT, 
	"order" INTEGER, 
	likelihood TEXT, 
	rms_um DOUBLE, 
	rms_um_error DOUBLE, 
	rms_without_focus_um DOUBLE, 
	ruze_efficiency DOUBLE, 
	exact_efficiency DOUBLE, 
	best_focus_m DOUBLE, 
	best_focus_m_error DOUBLE, 
	pointing_u_rad DOUBLE, 
	pointing_v_rad DOUBLE, 
	signal_to_noise DOUBLE, 
	reduced_chi2 DOUBLE, 
	seconds DOUBLE, 
	device TEXT, 
	oofpy_version TEXT, 
	PRIMARY KEY (id), 
	UNIQUE ("key"), 
	FOREIGN KEY(observation_id) REFERENCES observations (id), 
	FOREIGN KEY(run) REFERENCES runs (id), 
	FOREIGN KEY(settings_digest) REFERENCES settings (digest), 
	CONSTRAINT status CHECK (status IN ('ok', 'flagged', 'failed')), 
	CONSTRAINT verdict CHECK (verdict IN ('accept', 'check', 'reject'))
);
INSERT INTO "results" VALUES(1,'36c0246815e64ef8e56789f836ddd8ae51c6fbdb9f3db3aa3e98f9d099610922',2,1,'2026-11-24 02:19:45.085638','905301bf736f9b791431037c6c25dc9980a03873a1c1b2fba3f38be9c8e9dd69','failed',NULL,'the file is damaged','InputError',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "results" VALUES(2,'5ce1b53a1de0babf802385c2ec8cb1c11c9914c9389873746fbc6a496bef4947',1,1,'2026-11-24 02:19:45.085638','905301bf736f9b791431037c6c25dc9980a03873a1c1b2fba3f38be9c8e9dd69','flagged','check','',NULL,'obs_002',3,'cauchy',70.0,0.3,47.0,0.7,0.71,-0.00017,3.0e-07,-1.1e-05,1.2e-05,200.0,1.04,0.25,'cpu','0.1.0');
INSERT INTO "results" VALUES(3,'a8f6d81db2dec3f5b56e304d3c855a1b2c8ea52df5e1191d2f889ccbd10ad7cd',3,1,'2026-11-24 02:19:45.085638','905301bf736f9b791431037c6c25dc9980a03873a1c1b2fba3f38be9c8e9dd69','ok','accept','',NULL,'obs_001',3,'cauchy',60.0,0.3,46.0,0.7,0.71,-0.00017,3.0e-07,-1.1e-05,1.2e-05,200.0,1.04,0.25,'cpu','0.1.0');
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	oofpy_version TEXT NOT NULL, 
	host TEXT NOT NULL, 
	began_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	state TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES(1,'oofpy batch archive --out results','0.1.0','telescope-pc','2026-11-24 02:19:45.076575','2026-11-24 02:19:45.096607','completed');
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	oofpy_version TEXT NOT NULL, 
	applied_at DATETIME NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1,'0.1.0','2026-11-24 02:19:45.073535');
CREATE TABLE settings (
	digest TEXT NOT NULL, 
	settings JSON NOT NULL, 
	PRIMARY KEY (digest)
);
INSERT INTO "settings" VALUES('905301bf736f9b791431037c6c25dc9980a03873a1c1b2fba3f38be9c8e9dd69','{"name": "usual", "order": 3}');
CREATE INDEX ix_observations_name ON observations (name);
CREATE INDEX ix_observations_date_utc ON observations (date_utc);
CREATE INDEX ix_observations_telescope ON observations (telescope);
CREATE INDEX ix_observations_superseded_by ON observations (superseded_by);
CREATE INDEX ix_observation_files_sha256 ON observation_files (sha256);
CREATE INDEX ix_results_observation_id ON results (observation_id);
CREATE INDEX ix_results_status ON results (status);
CREATE INDEX ix_results_run ON results (run);
CREATE INDEX ix_results_rms_um ON results (rms_um);
CREATE INDEX ix_flags_code ON flags (code, result_id);
CREATE INDEX ix_decisions_result ON decisions (result_id, id);
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
CREATE TRIGGER decisions_no_replace BEFORE INSERT ON decisions WHEN EXISTS (SELECT 1 FROM decisions WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'decisions are append-only'); END;
COMMIT;
