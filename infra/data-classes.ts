/**
 * What kind of data each column of the stores holds. A column that is not here, or a name here that is no column, fails a
 * test: who adds one says what it holds.
 */
export const DATA_CLASSES = {
  person: "names or reaches a person or a home: sealed, or a keyed hash",
  linked: "belongs to a person or a home by a key within PostgreSQL",
  pseudonymous: "usage of a meter, known by a key that says nothing by itself; personal all the same",
  staff: "names somebody who works for the utility",
  operation: "about files, feeds, messages and processes, of nobody",
} as const;
export type DataClass = keyof typeof DATA_CLASSES;

/** Columns by class, blanks between their names. */
type Columns = Readonly<Partial<Record<DataClass, string>>>;

/** Tables and views of PostgreSQL. */
export const POSTGRES_COLUMNS: Readonly<Record<string, Columns>> = {
  accounts: {
    person: "number_hash number_sealed",
    linked: "account_id",
    operation: "utility",
  },
  active_consents: {
    person: "evidence_sealed",
    linked:
      "consent_id contact_id occupancy_id kind channel action method language text_version text_hash at",
    operation: "utility",
  },
  anomalies_seen: {
    pseudonymous: "anomaly meter_key rule version state starts_at ends_at message seen_at",
    operation: "utility",
  },
  answers: {
    linked: "answer_id anomaly contact_id answer rate at mute_until",
    operation: "utility",
  },
  channel_pauses: {
    operation: "pause_id utility channel reason at ended_at",
  },
  cold_told: {
    operation: "utility cold",
  },
  confirmations: {
    linked:
      "confirmation_id contact_id channel occupancies kinds language method text_version text_hash requested_at expires_at confirmed_at",
    operation: "utility",
  },
  consent_chains: {
    operation: "utility steps head",
  },
  consents: {
    person: "evidence_sealed",
    linked:
      "consent_id contact_id occupancy_id kind channel action method language text_version text_hash at place chain",
    operation: "utility",
  },
  consents_forgotten: {
    linked: "place chain",
    operation: "utility",
  },
  consumer_offsets: {
    operation: "group_name topic partition identity next_offset",
  },
  contacts: {
    person: "address_hash address_sealed",
    linked:
      "contact_id channel language created_at verified_at erased_at units send_from send_until time_zone line carrier looked_up_at",
    operation: "utility",
  },
  customers: {
    person: "name_sealed email_sealed phone_sealed",
    linked: "customer_id account_id name_file email_file phone_file",
    operation: "utility",
  },
  decisions: {
    linked: "anomaly contact_id outcome version first_at last_at",
    operation: "utility",
  },
  declarations: {
    linked: "declaration_id occupancy_id contact_id kind meter_key rate from_at until_at at",
    operation: "utility",
  },
  detector_partitions: {
    operation: "partition epoch generation offsets saved_at first_row next_row lost",
  },
  detector_pending: {
    pseudonymous: "message",
    operation: "id partition",
  },
  detector_rows: {
    pseudonymous: "payload",
    operation: "partition row format crc32",
  },
  erasure_holds: {
    linked: "hold_id contact_id reason at until lifted_at",
    operation: "utility",
  },
  erasures: {
    linked: "receipt contact_id asked_by asked_at due_at erased_at key_gone_at",
    operation: "utility",
  },
  feed_alarms: {
    operation:
      "feed_alarm utility source kind opened_at closed_at last_file_at reads usual_reads opened_told_at closed_told_at",
  },
  feed_watches: {
    operation: "utility source since",
  },
  files: {
    operation:
      "file utility source name sha256 bytes state duplicate_of correction again_of work_path archive_path archive_key reason rows rejected reads no_reads values_rejected meters first_read last_read claimed_at published_at announced left_out unknown_columns late_reads name_counts",
  },
  log_batches: {
    pseudonymous: "payload",
    operation: "topic partition base_offset next_offset created_at bytes",
  },
  log_generations: {
    operation: "generation identity",
  },
  log_groups: {
    operation: "group_id group_name",
  },
  log_identity: {
    operation: "singleton identity",
  },
  log_members: {
    operation: "member_id group_id member",
  },
  log_offsets: {
    operation: "group_id topic partition next_offset",
  },
  log_partitions: {
    operation: "topic partition next_offset",
  },
  log_topics: {
    operation: "topic partitions cleanup retention_hours",
  },
  mailed_codes: {
    person: "code_hash",
    linked: "code_id occupancy_id created_at expires_at used_at",
    operation: "utility",
  },
  meters: {
    person: "id_hash id_sealed",
    pseudonymous: "meter_key created_at registry_settings settings_file",
    operation: "utility",
  },
  meters_to_tell: {
    pseudonymous: "meter_key",
  },
  occupancies: {
    linked: "occupancy_id account_id premise_id valid_from valid_until",
    operation: "utility",
  },
  outbox: {
    linked:
      "outbox_id kind anomaly stage confirmation_id contact_id occupancy_id consent_kind channel state reason told attempts refusals not_before owner lease_until created_at updated_at accepted_at reply provider_id handed_at resent urgent priority digest digest_of notice_id",
    operation: "utility",
  },
  premise_meters: {
    linked: "premise_id meter_key valid_from valid_until",
  },
  premises: {
    person: "location_hash address_sealed zip_hash",
    linked: "premise_id address_file zip_file",
    operation: "utility",
  },
  privacy_log: {
    linked: "at kind what purpose contact_id given_to ground",
    staff: "actor",
    operation: "entry utility",
  },
  publications: {
    staff: "published_by",
    operation: "utility month rows policy clause published_at",
  },
  pull_marks: {
    operation: "utility source done_at",
  },
  pulled_files: {
    operation: "utility source name bytes modified_at pulled_at",
  },
  recipients: {
    linked: "meter_key contact_id occupancy_id kind channel valid_from valid_until",
    operation: "utility",
  },
  registers: {
    person: "serial_hash serial_sealed",
    pseudonymous: "meter_key number",
  },
  rejects: {
    operation: "file line place at_byte length code field value",
  },
  rules_judged: {
    operation: "utility rule since",
  },
  schema_migrations: {
    operation: "name checksum ran_at",
  },
  notices: {
    staff: "written_by",
    operation: "notice_id utility name about words written_at",
  },
  suppressions: {
    person: "address_hash",
    linked: "suppression_id channel reason at ended_at",
    operation: "utility",
  },
  temperatures: {
    operation: "utility time hundredths timely file",
  },
  text_buckets: {
    operation: "utility name tokens at",
  },
  texts_received: {
    person: "body_sealed",
    linked: "provider_id contact_id asks for_people received_at handled_at",
    operation: "utility",
  },
};

/** Tables of ClickHouse; its views show nothing else. */
export const CLICKHOUSE_COLUMNS: Readonly<Record<string, Columns>> = {
  anomalies: {
    pseudonymous:
      "meter class id version rule rule_version state reason start end detected_at rate volume evidence backfill",
    operation: "utility",
  },
  anomaly_history: {
    pseudonymous:
      "meter class id version rule rule_version state reason start end detected_at rate volume evidence backfill stored_at",
    operation: "utility",
  },
  bills: {
    pseudonymous: "meter channel start length ml delivered unit flags file line",
    operation: "utility",
  },
  check_findings: {
    pseudonymous: "meter code start end open value limit version gone",
    operation: "utility",
  },
  files: {
    operation:
      "utility source file sha256 state correction bytes rows rejected reads late_reads meters first_read last_read claimed_at published_at",
  },
  intervals: {
    pseudonymous: "meter channel start length ml origin delivered unit flags file line counts version gone",
    operation: "utility",
  },
  meter_registers: {
    pseudonymous: "meter channel resolution modulus modulus_file version",
    operation: "utility",
  },
  register_reads: {
    pseudonymous: "meter channel at ml delivered unit flags register file line version",
    operation: "utility",
  },
  superseded_reads: {
    pseudonymous: "meter channel kind at length ml flags file line",
    operation: "utility",
  },
};

/** Each column as `table.column`, with its class. */
export function classOfColumns(tables: Readonly<Record<string, Columns>>): Map<string, DataClass> {
  return new Map(
    Object.entries(tables).flatMap(([table, columns]) =>
      Object.entries(columns).flatMap(([name, list]) =>
        list.split(" ").map((column) => [`${table}.${column}`, name as DataClass] as const),
      ),
    ),
  );
}
