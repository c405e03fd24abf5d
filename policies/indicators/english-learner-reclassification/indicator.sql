-- english-learner-reclassification: one row for each learner of the year before who is still in a district
WITH reports AS (
    SELECT r.person_id, r.school_year, r.provider,
        CASE
            WHEN r.english_learner_status IN (SELECT value FROM parameters WHERE name = 'fluent') THEN 1
            WHEN r.english_learner_status IN (SELECT value FROM parameters WHERE name = 'learner') THEN 2
            ELSE 3
        END AS status
    FROM demographics AS r
    JOIN districts AS d ON d.district = r.provider AND d.school_year = r.school_year
    WHERE r.kind = 'k12'
),
deciding AS (
    SELECT person_id, school_year, provider, status,
        ROW_NUMBER() OVER (PARTITION BY person_id, school_year ORDER BY status, provider) AS place
    FROM reports
)
SELECT n.person_id, n.school_year AS cohort_year, n.provider AS district,
    CASE n.status WHEN 1 THEN 'yes' WHEN 2 THEN 'no' ELSE 'unknown' END AS outcome,
    1 AS weight
FROM deciding AS n
JOIN deciding AS b ON b.person_id = n.person_id AND b.school_year = n.school_year - 1
WHERE n.place = 1 AND b.place = 1 AND b.status = 2
