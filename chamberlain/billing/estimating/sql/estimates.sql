-- Estimates are few among reads; what is to be trued up is looked for among them.
CREATE INDEX metering_read_estimated ON metering_read (service_point_id, to_on)
    WHERE quality = 'estimate';

-- What an estimate was reckoned from stays as it was printed.
CREATE TRIGGER estimating_estimate_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON estimating_estimate FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
