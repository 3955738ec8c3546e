-- Turn the tables that grow with every activity into tables partitioned by a hash of the user. PostgreSQL 12 or newer.
--
--   psql -v ON_ERROR_STOP=1 -1 -c "SET gamification.partitions = 16" -f docs/partitions.sql "$DATABASE_URL"
--
-- Run it once, after `migrate`, while nothing writes: on empty tables it takes a moment, on full ones it copies them.
-- It is one transaction. Columns, checks, indexes, defaults and foreign keys are taken over from what it finds.
--
-- What changes, because a unique constraint must hold the column that decides the partition:
--   * primary keys become (id, user_id). The sequence of ids stays one for all partitions, so an id is still unique,
--     and the id comes first, so that it alone finds its row.
--   * a reversal refers to (user_id, id) of what it reverses instead of to the id alone, and is unique by the same
--     two columns: it is always a row of the same user.
-- All other unique constraints begin with the user already.
DO $$
DECLARE
    tables CONSTANT text[] := ARRAY[
        'gamification_activity', 'gamification_xptransaction', 'gamification_userday', 'gamification_usercounter',
        'gamification_userachievement'
    ];
    partitions CONSTANT int := coalesce(nullif(current_setting('gamification.partitions', true), ''), '16')::int;
    whole text;
    name text;
    found record;
    definition text;
    afterwards text[];
    statement text;
BEGIN
    FOREACH name IN ARRAY tables LOOP
        IF (SELECT relkind FROM pg_class WHERE oid = name::regclass) = 'p' THEN
            RAISE EXCEPTION '% is partitioned already', name;
        END IF;
        EXECUTE format('LOCK TABLE %I', name);
        whole := name || '_whole';
        afterwards := ARRAY[]::text[];

        -- What is to be made again on the new table, in the words of the old one. Checks come with LIKE.
        FOR found IN
            SELECT conname, contype, confrelid = conrelid AS is_to_itself, pg_get_constraintdef(oid) AS def,
                (SELECT array_agg(attname::text ORDER BY ordinality) FROM unnest(conkey) WITH ORDINALITY
                    JOIN pg_attribute ON attrelid = conrelid AND attnum = unnest) AS columns
            FROM pg_constraint WHERE conrelid = name::regclass AND contype IN ('p', 'u', 'f')
            ORDER BY contype DESC  -- what is unique before what refers to it
        LOOP
            definition := found.def;
            IF found.contype = 'p' AND NOT 'user_id' = ANY (found.columns) THEN
                definition := format('PRIMARY KEY (%I, user_id)', found.columns[1]);
            ELSIF found.contype = 'u' AND NOT 'user_id' = ANY (found.columns) THEN
                definition := format('UNIQUE (user_id, %I)', found.columns[1]);
            ELSIF found.is_to_itself THEN
                definition := format(
                    'FOREIGN KEY (user_id, %I) REFERENCES %I (user_id, id) DEFERRABLE INITIALLY DEFERRED',
                    found.columns[1], name
                );
            END IF;
            statement := format('ALTER TABLE %I ADD CONSTRAINT %I %s', name, found.conname, definition);
            -- Foreign keys last: that of a reversal needs the primary key.
            afterwards := CASE WHEN found.contype = 'f' THEN afterwards || statement ELSE statement || afterwards END;
        END LOOP;
        FOR found IN
            SELECT pg_get_indexdef(indexrelid) AS def FROM pg_index
            WHERE indrelid = name::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        LOOP
            afterwards := afterwards || found.def;
        END LOOP;

        EXECUTE format('ALTER TABLE %I RENAME TO %I', name, whole);
        EXECUTE format(
            'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING GENERATED INCLUDING CONSTRAINTS'
            ' INCLUDING STORAGE INCLUDING COMMENTS) PARTITION BY HASH (user_id)', name, whole
        );
        FOR number IN 0 .. partitions - 1 LOOP
            EXECUTE format(
                'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)',
                name || '_' || number, name, partitions, number
            );
        END LOOP;
        EXECUTE format('INSERT INTO %I OVERRIDING SYSTEM VALUE SELECT * FROM %I', name, whole);
        EXECUTE format(
            'SELECT setval(pg_get_serial_sequence(%L, ''id''), greatest(max(id), 1), max(id) IS NOT NULL) FROM %I',
            name, whole
        );
        EXECUTE format('DROP TABLE %I', whole);
        FOREACH statement IN ARRAY afterwards LOOP
            EXECUTE statement;
        END LOOP;
    END LOOP;
END
$$;
