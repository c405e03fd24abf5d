-- kindergarten-readiness: one row for each first-time kindergartner on the census day
WITH kindergarten AS (
    SELECT e.person_id, e.school_year, e.provider, e.school, e.start_date, e.exit_date
    FROM enrollment AS e
    JOIN districts AS d ON d.district = e.provider AND d.school_year = e.school_year
    LEFT JOIN (
        SELECT DISTINCT person_id, school_year
        FROM program
        WHERE program_code IN (SELECT value FROM parameters WHERE name = 'transitional_kindergarten')
    ) AS t ON t.person_id = e.person_id AND t.school_year = e.school_year
    WHERE e.grade = 'KN' AND t.person_id IS NULL
        AND e.enrollment_status IN (SELECT value FROM parameters WHERE name = 'enrollment_status')
        AND COALESCE(e.exit_reason, '') NOT IN (SELECT value FROM parameters WHERE name = 'no_show')
),
first_years AS (
    SELECT person_id, MIN(school_year) AS school_year FROM kindergarten GROUP BY person_id
),
on_census AS (
    SELECT k.person_id, y.cohort_year, k.provider AS district, y.window_opens_on, y.window_closes_on,
        ROW_NUMBER() OVER (PARTITION BY k.person_id ORDER BY k.start_date DESC, k.provider, k.school) AS place
    FROM kindergarten AS k
    JOIN first_years AS f ON f.person_id = k.person_id AND f.school_year = k.school_year
    JOIN calendar AS y ON y.cohort_year = k.school_year
    WHERE k.start_date <= y.census_on AND COALESCE(k.exit_date, y.census_on) >= y.census_on
),
cohort AS (
    SELECT person_id, cohort_year, district, window_opens_on, window_closes_on FROM on_census WHERE place = 1
),
judged AS (
    SELECT c.person_id, r.assessed_on,
        CASE
            WHEN r.total_score IS NOT NULL AND i.value IS NOT NULL
                THEN CASE WHEN r.total_score >= CAST(i.value AS INTEGER) THEN 'yes' ELSE 'no' END
            WHEN r.band IN (SELECT value FROM parameters WHERE name = 'ready_band') THEN 'yes'
            WHEN r.band IS NOT NULL THEN 'no'
        END AS outcome
    FROM cohort AS c
    JOIN readiness AS r
        ON r.person_id = c.person_id AND r.assessed_on BETWEEN c.window_opens_on AND c.window_closes_on
    LEFT JOIN parameters AS i ON i.name = 'cut' AND i.item = r.instrument
),
first_judged AS (
    SELECT person_id, outcome,
        ROW_NUMBER() OVER (PARTITION BY person_id ORDER BY assessed_on, outcome DESC) AS place
    FROM judged
    WHERE outcome IS NOT NULL
)
SELECT c.person_id, c.cohort_year, c.district, COALESCE(j.outcome, 'unknown') AS outcome, 1 AS weight
FROM cohort AS c
LEFT JOIN first_judged AS j ON j.person_id = c.person_id AND j.place = 1
