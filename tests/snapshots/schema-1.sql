BEGIN TRANSACTION;
CREATE TABLE access (
	invocation_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	write BOOLEAN NOT NULL, 
	slot_id INTEGER NOT NULL, 
	before_id INTEGER, 
	after_id INTEGER NOT NULL, 
	undone BOOLEAN NOT NULL, 
	PRIMARY KEY (invocation_id, position), 
	FOREIGN KEY(invocation_id) REFERENCES invocation (id), 
	FOREIGN KEY(slot_id) REFERENCES word (id), 
	FOREIGN KEY(before_id) REFERENCES word (id), 
	FOREIGN KEY(after_id) REFERENCES word (id)
)
 WITHOUT ROWID

;
CREATE TABLE address (
	id INTEGER NOT NULL, 
	bytes BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (bytes)
);
CREATE TABLE artifact (
	id INTEGER NOT NULL, 
	hash BLOB NOT NULL, 
	json BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (hash)
);
CREATE TABLE block (
	chain_id BIGINT NOT NULL, 
	number BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	timestamp BIGINT, 
	PRIMARY KEY (chain_id, number), 
	FOREIGN KEY(chain_id) REFERENCES chain (id)
);
CREATE TABLE chain (
	id BIGINT NOT NULL, 
	genesis BLOB, 
	PRIMARY KEY (id)
);
CREATE TABLE code (
	id INTEGER NOT NULL, 
	hash BLOB NOT NULL, 
	bytes BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (hash)
);
CREATE TABLE complete_range (
	contract_id INTEGER NOT NULL, 
	first BIGINT NOT NULL, 
	last BIGINT NOT NULL, 
	PRIMARY KEY (contract_id, first), 
	FOREIGN KEY(contract_id) REFERENCES contract (id)
);
CREATE TABLE contract (
	id INTEGER NOT NULL, 
	chain_id BIGINT NOT NULL, 
	address_id INTEGER NOT NULL, 
	code_id INTEGER, 
	artifact_id INTEGER, 
	created_in_block BIGINT, 
	PRIMARY KEY (id), 
	UNIQUE (chain_id, address_id), 
	FOREIGN KEY(chain_id) REFERENCES chain (id), 
	FOREIGN KEY(address_id) REFERENCES address (id), 
	FOREIGN KEY(code_id) REFERENCES code (id), 
	FOREIGN KEY(artifact_id) REFERENCES artifact (id)
);
CREATE TABLE event (
	invocation_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	topics BLOB NOT NULL, 
	data BLOB NOT NULL, 
	undone BOOLEAN NOT NULL, 
	PRIMARY KEY (invocation_id, position), 
	FOREIGN KEY(invocation_id) REFERENCES invocation (id)
);
CREATE TABLE implementation (
	contract_id INTEGER NOT NULL, 
	address_id INTEGER NOT NULL, 
	code_id INTEGER, 
	PRIMARY KEY (contract_id, address_id), 
	FOREIGN KEY(contract_id) REFERENCES contract (id), 
	FOREIGN KEY(address_id) REFERENCES address (id), 
	FOREIGN KEY(code_id) REFERENCES code (id)
);
CREATE TABLE invocation (
	id INTEGER NOT NULL, 
	transaction_id INTEGER NOT NULL, 
	contract_id INTEGER NOT NULL, 
	code_address_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	parent INTEGER, 
	depth INTEGER NOT NULL, 
	kind VARCHAR(12) NOT NULL, 
	sender_id INTEGER NOT NULL, 
	value_id INTEGER NOT NULL, 
	data BLOB NOT NULL, 
	outcome VARCHAR(16) NOT NULL, 
	output BLOB NOT NULL, 
	gas BIGINT NOT NULL, 
	gas_used BIGINT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (contract_id, transaction_id, position), 
	FOREIGN KEY(transaction_id) REFERENCES transaction_ (id), 
	FOREIGN KEY(contract_id) REFERENCES contract (id), 
	FOREIGN KEY(code_address_id) REFERENCES address (id), 
	FOREIGN KEY(sender_id) REFERENCES address (id), 
	FOREIGN KEY(value_id) REFERENCES word (id)
);
CREATE TABLE limitation (
	contract_id INTEGER NOT NULL, 
	text VARCHAR(500) NOT NULL, 
	PRIMARY KEY (contract_id, text), 
	FOREIGN KEY(contract_id) REFERENCES contract (id)
);
CREATE TABLE preimage (
	transaction_id INTEGER NOT NULL, 
	contract_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	bytes BLOB NOT NULL, 
	PRIMARY KEY (transaction_id, contract_id, position), 
	FOREIGN KEY(transaction_id) REFERENCES transaction_ (id), 
	FOREIGN KEY(contract_id) REFERENCES contract (id)
);
CREATE TABLE recording (
	transaction_id INTEGER NOT NULL, 
	contract_id INTEGER NOT NULL, 
	tracer VARCHAR(24) NOT NULL, 
	PRIMARY KEY (transaction_id, contract_id), 
	FOREIGN KEY(transaction_id) REFERENCES transaction_ (id), 
	FOREIGN KEY(contract_id) REFERENCES contract (id)
);
CREATE TABLE schema_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE transaction_ (
	id INTEGER NOT NULL, 
	chain_id BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	block BIGINT NOT NULL, 
	position INTEGER NOT NULL, 
	sender_id INTEGER NOT NULL, 
	to_id INTEGER, 
	value_id INTEGER NOT NULL, 
	gas BIGINT NOT NULL, 
	gas_used BIGINT NOT NULL, 
	nonce BIGINT NOT NULL, 
	succeeded BOOLEAN NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (chain_id, hash), 
	FOREIGN KEY(chain_id) REFERENCES chain (id), 
	FOREIGN KEY(sender_id) REFERENCES address (id), 
	FOREIGN KEY(to_id) REFERENCES address (id), 
	FOREIGN KEY(value_id) REFERENCES word (id)
);
CREATE TABLE word (
	id INTEGER NOT NULL, 
	bytes BLOB NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (bytes)
);
CREATE INDEX transaction_by_block ON transaction_ (chain_id, block, position);
CREATE INDEX invocation_by_transaction ON invocation (transaction_id);
COMMIT;
